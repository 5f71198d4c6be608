/*
 * The order of claims, as a model of its own.
 *
 * Written from the description of the protocol, not from mod/claim, so that one mistake does not
 * hide in both. A claim is a record that only its host writes. `history` keeps every record that a
 * host ever wrote; another host knows one of them, its newest is any, so loss, delay, reordering and
 * partitions are all the same thing here: not knowing yet. Acknowledgements are left out: whoever
 * asks may be let through at any time, which is worse than any network can be.
 *
 * What the environment may do, and how often, is given with -D: TAKEOVERS (claims on a subnet that
 * another holds), RELEASES, FORGETS, ROLLBACKS (an old disk comes back, when all is quiet),
 * COLLECTS (tombstones are dropped). -DNESTED makes the two subnets overlap.
 *
 * Switches that take one rule away, each of which must give a counter-example: NO_REFUTE, NO_RAISE,
 * NO_FENCE, NO_TIE, YIELD_TO_QUESTION, YIELD_TO_EQUAL, LIVE_LOAD, RELEASE_WITHOUT_RAISE.
 */

#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef SUBNETS
#define SUBNETS 2
#endif
#ifndef WRITES
#define WRITES 15 /* a host that needs more has not come to rest */
#endif
#ifndef CLAIMS
#define CLAIMS (HOSTS + 1) /* first choices of all hosts; the network may make each of them wrong */
#endif
#ifndef TAKEOVERS
#define TAKEOVERS 0
#endif
#ifndef RELEASES
#define RELEASES 0
#endif
#ifndef FORGETS
#define FORGETS 0
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef COLLECTS
#define COLLECTS 0
#endif
#ifndef LOADS
#define LOADS 0
#endif

/* A record in 14 bits: state, subnet, epoch, strength, load, stamp. 0 is "nothing claimed". */
#define NONE 0
#define TENTATIVE 1
#define HELD 2
#define RELEASED 3
#define STATE(r) ((r) & 3)
#define SUBNET(r) (((r) >> 2) & 1)
#define EPOCH(r) (((r) >> 3) & 15)
#define STRENGTH(r) (((r) >> 7) & 3)
#define LOAD(r) (((r) >> 9) & 1)
#define STAMP(r) (((r) >> 10) & 15)
#define RECORD(state, subnet, epoch, strength, load, stamp) \
  ((state) | ((subnet) << 2) | ((epoch) << 3) | ((strength) << 7) | ((load) << 9) | ((stamp) << 10))

/* Slot 0 of each history is "nothing yet"; the newest record is slot count[host]. */
short history[HOSTS * (WRITES + 1)];
byte count[HOSTS];
/* known[a * HOSTS + b]: which of b's records a knows. */
byte known[HOSTS * HOSTS];
/* The highest epoch at which each host knows each subnet to have been held. */
byte fence[HOSTS * SUBNETS];
/* This host saw a weaker holder of its subnet, and has not raised its epoch since. */
bool contested[HOSTS];
/* It heard somebody since its disk came back. */
bool synced[HOSTS];
/* It released, and somebody dropped its tombstone: it is never back. */
bool gone[HOSTS];
bool dropped[HOSTS];

byte claims = CLAIMS;
byte takeovers = TAKEOVERS;
byte releases = RELEASES;
byte forgets = FORGETS;
byte rollbacks = ROLLBACKS;
byte collects = COLLECTS;
byte loads = LOADS;

/* The last held record that each host yielded, to whom, and whether that one noticed. */
byte lost[HOSTS];
byte lost_to[HOSTS];
bool won[HOSTS];
/* The record with which a host came back from an old disk. */
byte restored[HOSTS];
/* Its holder gave it up by its own will; who yields to what it then read leaves nobody. */
bool given[SUBNETS];

#define WRITTEN(b, slot) history[(b) * (WRITES + 1) + (slot)]
#define OWN(a) WRITTEN(a, count[a])
#define KNOWS(a, b) WRITTEN(b, known[(a) * HOSTS + (b)])

#ifdef NESTED
#define OVERLAP(s, t) true
#else
#define OVERLAP(s, t) ((s) == (t))
#endif

#define FENCE(a, s) fence[(a) * SUBNETS + (s)]

/* epoch, then strength, then the older stamp, then a hash: here, whose turn that subnet is. */
#ifdef NO_TIE
#define TIE(b, s) 0
#else
#define TIE(b, s) ((((b) + (s)) % HOSTS) * SUBNETS + (s))
#endif
#ifdef LIVE_LOAD
#define LOADED(r) LOAD(r)
#else
#define LOADED(r) 0
#endif
#define RANK(b, r) \
  ((EPOCH(r) << 11) | (STRENGTH(r) << 9) | (LOADED(r) << 8) | ((15 - STAMP(r)) << 4) | \
    TIE(b, SUBNET(r)))

/* What a knows of b counts: held and not below the fence, or asked for above it. */
#define HOLDS(a, b) (STATE(KNOWS(a, b)) == HELD && EPOCH(KNOWS(a, b)) >= FENCE(a, SUBNET(KNOWS(a, b))))
#define ASKS(a, b) (STATE(KNOWS(a, b)) == TENTATIVE && EPOCH(KNOWS(a, b)) > FENCE(a, SUBNET(KNOWS(a, b))))
#define MEETS(a, b, s) ((a) != (b) && OVERLAP(SUBNET(KNOWS(a, b)), s))
#define ABOVE(a, b) (RANK(b, KNOWS(a, b)) > RANK(a, OWN(a)))

#if HOSTS == 2
#define SOME(what, a) (what(a, 0) || what(a, 1))
#define SOME_OF(what, a, s) (what(a, 0, s) || what(a, 1, s))
#else
#define SOME(what, a) (what(a, 0) || what(a, 1) || what(a, 2))
#define SOME_OF(what, a, s) (what(a, 0, s) || what(a, 1, s) || what(a, 2, s))
#endif

#define MINE(a) SUBNET(OWN(a))
#define RIVAL(a, b) (MEETS(a, b, MINE(a)) && HOLDS(a, b))
#define STRONGER(a, b) (RIVAL(a, b) && ABOVE(a, b))
#define STRONGER_QUESTION(a, b) (MEETS(a, b, MINE(a)) && ASKS(a, b) && ABOVE(a, b))
#define QUESTION(a, b) (MEETS(a, b, MINE(a)) && ASKS(a, b) && EPOCH(KNOWS(a, b)) > EPOCH(OWN(a)))
#define TAKEN(a, b, s) (MEETS(a, b, s) && (HOLDS(a, b) || ASKS(a, b)))
#define HELD_BY(a, b, s) (MEETS(a, b, s) && HOLDS(a, b))

#ifdef YIELD_TO_QUESTION
#define BEATEN(a, b) (STRONGER(a, b) || STRONGER_QUESTION(a, b))
#elif defined(YIELD_TO_EQUAL)
/* Epoch and strength only, and yield when they do not say. */
#define BEATEN(a, b) (RIVAL(a, b) && (RANK(b, KNOWS(a, b)) >> 9) >= (RANK(a, OWN(a)) >> 9))
#else
#define BEATEN(a, b) STRONGER(a, b)
#endif

#define MUST_YIELD(a) (STATE(OWN(a)) == HELD && SOME(BEATEN, a))
#ifdef NO_REFUTE
#define MUST_REFUTE(a) false
#else
#define MUST_REFUTE(a) (STATE(OWN(a)) == HELD && !SOME(STRONGER, a) && SOME(QUESTION, a))
#endif
#define MUST_RAISE(a) \
  (STATE(OWN(a)) == HELD && !SOME(RIVAL, a) && \
    (contested[a] || FENCE(a, MINE(a)) > EPOCH(OWN(a))))
#define MUST_GIVE_UP(a) \
  (STATE(OWN(a)) == TENTATIVE && \
    (SOME(STRONGER, a) || SOME(STRONGER_QUESTION, a) || EPOCH(OWN(a)) <= FENCE(a, MINE(a))))

/* Used within one step, and 0 between steps: no part of the state. */
byte i, j, k, t, best;
short before, after;

inline raise_fence_of(a, s, epoch) {
  if
  :: FENCE(a, s) < epoch -> FENCE(a, s) = epoch
  :: else
  fi
}

/* What overlaps has one fence: the highest of all. */
inline raise_fence(a, s, epoch) {
#if defined(NO_FENCE)
  recount_fence(a)
#elif defined(NESTED)
  raise_fence_of(a, 0, epoch);
  raise_fence_of(a, 1, epoch)
#else
  raise_fence_of(a, s, epoch)
#endif
}

#ifdef NO_FENCE
/* Without a memory of its own: only what the records that are known now say. */
inline recount_fence(a) {
  d_step {
    for (i : 0 .. SUBNETS - 1) {
      FENCE(a, i) = 0
    }
    for (i : 0 .. HOSTS - 1) {
      if
      :: STATE(KNOWS(a, i)) >= HELD -> raise_fence_of(a, SUBNET(KNOWS(a, i)), EPOCH(KNOWS(a, i)))
      :: else
      fi
    }
    i = 0
  }
}
#endif

/* A sentence that must be true. */
#define EXPECT(sentence, condition) \
  if \
  :: condition \
  :: else -> printf(sentence); assert(false) \
  fi

/* S6: what a host knows of a fence never falls. S11: nor does a holder's rank. */
inline write(a, record) {
  before = OWN(a);
  after = record;
#ifndef LIVE_LOAD
  EXPECT("but its rank fell while it held (S11)\n",
    STATE(before) != HELD || STATE(after) != HELD || SUBNET(before) != SUBNET(after) ||
    RANK(a, after) >= RANK(a, before));
#endif
  EXPECT("but it does not come to rest (L6)\n", count[a] < WRITES);
  assert(EPOCH(after) < 15 && STAMP(after) < 15); /* the model's own limits */
  count[a] = count[a] + 1;
  OWN(a) = after;
  known[(a) * HOSTS + (a)] = count[a];
  if
  :: STATE(after) >= HELD -> raise_fence(a, SUBNET(after), EPOCH(after))
  :: else
  fi;
  before = 0;
  after = 0
}

inline learn(a, b, slot) {
  known[(a) * HOSTS + (b)] = slot;
  if
  :: STATE(KNOWS(a, b)) >= HELD ->
    raise_fence(a, SUBNET(KNOWS(a, b)), EPOCH(KNOWS(a, b)))
  :: else
  fi
}

inline notice(a) {
  if
  :: STATE(OWN(a)) == HELD && SOME(RIVAL, a) -> contested[a] = true
  :: else
  fi
}

/* The highest epoch at which somebody asks for what a holds. */
inline asked_epoch(a) {
  best = 0;
  for (j : 0 .. HOSTS - 1) {
    if
    :: QUESTION(a, j) && EPOCH(KNOWS(a, j)) > best -> best = EPOCH(KNOWS(a, j))
    :: else
    fi
  }
  j = 0
}

/* Lamport time: one more than every stamp that a knows. */
inline next_stamp(a) {
  best = 0;
  for (j : 0 .. HOSTS - 1) {
    if
    :: STAMP(KNOWS(a, j)) > best -> best = STAMP(KNOWS(a, j))
    :: else
    fi
  }
  best = best + 1;
  j = 0
}

inline give_up(s) {
#ifdef NESTED
  given[0] = true;
  given[1] = true
#else
  given[s] = true
#endif
}

/* S9: somebody holds it still, as long as nobody gave it up by its own will. */
inline assert_survivor(s) {
  best = 0;
  for (j : 0 .. HOSTS - 1) {
    if
    :: STATE(OWN(j)) == HELD && OVERLAP(SUBNET(OWN(j)), s) -> best = best + 1
    :: else
    fi
  }
  EXPECT("but now nobody holds it (S9)\n", best > 0 || given[s]);
  best = 0;
  j = 0
}

/* The same claim, perhaps acknowledged by more. */
#define SAME_CLAIM(r, old) \
  (STATE(r) == HELD && SUBNET(r) == SUBNET(old) && EPOCH(r) == EPOCH(old) && STAMP(r) == STAMP(old))

inline yield_claim(a) {
  t = MINE(a);
  printf("host %d yields subnet %d\n", a, t);
  for (j : 0 .. HOSTS - 1) {
    EXPECT("but to a host whose tombstone it dropped (S10)\n", !BEATEN(a, j) || !gone[j] || !dropped[a])
  }
  j = 0;
  contested[a] = false;
  lost[a] = count[a];
  for (j : 0 .. HOSTS - 1) {
    if
    :: BEATEN(a, j) ->
      lost_to[a] = j;
      EXPECT("but it had won that contest, and loses it now to the same claim from an old disk\n",
        !won[a] || lost_to[j] != a || restored[j] == 0 ||
        known[(a) * HOSTS + j] < restored[j] ||
        !SAME_CLAIM(KNOWS(a, j), WRITTEN(j, restored[j])))
    :: else
    fi
  }
  j = 0;
  won[lost_to[a]] = false;
  won[a] = false;
  write(a, RECORD(NONE, 0, 0, 0, 0, STAMP(OWN(a))));
  assert_survivor(t);
  t = 0
}

/* Who holds a subnet, saw the question and had its answers heard is not overrun. */
inline promote(a) {
  printf("host %d holds subnet %d, epoch %d\n", a, MINE(a), EPOCH(OWN(a)));
  for (j : 0 .. HOSTS - 1) {
    EXPECT("but its holder saw the question, and all its answers were heard (aim 2)\n",
      j == a || STATE(OWN(j)) != HELD || !OVERLAP(MINE(j), MINE(a)) ||
      known[j * HOSTS + a] < count[a] || known[a * HOSTS + j] < count[j] ||
      MUST_REFUTE(j) || MUST_RAISE(j) || MUST_YIELD(j))
  }
  j = 0;
  write(a, RECORD(HELD, MINE(a), EPOCH(OWN(a)), 1, 0, STAMP(OWN(a))));
  notice(a)
}

inline ask(a, s) {
  next_stamp(a);
  printf("host %d asks for subnet %d, epoch %d, stamp %d\n", a, s, FENCE(a, s) + 1, best);
  write(a, RECORD(TENTATIVE, s, FENCE(a, s) + 1, 0, 0, best));
  best = 0
}

#define CAN_DELIVER(a, b) ((a) != (b) && !gone[b] && known[(a) * HOSTS + (b)] < count[b])
#ifdef NO_FENCE
#define FENCE_DIFFERS(a, b, s) false
#else
#define FENCE_DIFFERS(a, b, s) (fence[(a) * SUBNETS + (s)] < fence[(b) * SUBNETS + (s)])
#endif
#if SUBNETS == 2
#define FENCES_DIFFER(a, b) (FENCE_DIFFERS(a, b, 0) || FENCE_DIFFERS(a, b, 1))
#else
#define FENCES_DIFFER(a, b) FENCE_DIFFERS(a, b, 0)
#endif
#define KNOWN_DIFFERS(a, b, c) ((a) != (c) && known[(a) * HOSTS + (c)] < known[(b) * HOSTS + (c)])
#if HOSTS == 2
#define CAN_SYNC(a, b) \
  ((a) != (b) && !gone[b] && \
    (!synced[a] || FENCES_DIFFER(a, b) || KNOWN_DIFFERS(a, b, 0) || KNOWN_DIFFERS(a, b, 1)))
#else
#define CAN_SYNC(a, b) \
  ((a) != (b) && !gone[b] && \
    (!synced[a] || FENCES_DIFFER(a, b) || KNOWN_DIFFERS(a, b, 0) || KNOWN_DIFFERS(a, b, 1) || \
      KNOWN_DIFFERS(a, b, 2)))
#endif

/* One of b's records arrives, perhaps an old one, perhaps over many others. */
inline deliver(a, b) {
  slot = known[(a) * HOSTS + (b)] + 1;
  do
  :: slot < count[b] -> slot++
  :: break
  od;
  printf("host %d hears record %d of host %d\n", a, slot, b);
  learn(a, b, slot);
  slot = 0;
  notice(a)
}

/* All that b knows arrives at once, fences included. */
inline sync(a, b) {
  printf("host %d syncs with host %d\n", a, b);
  for (k : 0 .. HOSTS - 1) {
    if
    :: KNOWN_DIFFERS(a, b, k) -> learn(a, k, known[b * HOSTS + k])
    :: else
    fi
  }
#ifndef NO_FENCE
  for (k : 0 .. SUBNETS - 1) {
    raise_fence(a, k, FENCE(b, k))
  }
#endif
  k = 0;
  synced[a] = true;
  notice(a)
}

#define IDLE(a) (STATE(OWN(a)) == NONE && synced[a])

#define TOMBSTONE(a, b) ((a) != (b) && STATE(KNOWS(a, b)) == RELEASED && STATE(OWN(b)) == RELEASED)

/* A day later: who holds the tombstone drops it, and only fences remain. */
inline collect(a) {
  collects--;
  for (j : 0 .. HOSTS - 1) {
    if
    :: TOMBSTONE(a, j) ->
      printf("host %d drops the tombstone of host %d\n", a, j);
      known[(a) * HOSTS + j] = 0;
      gone[j] = true;
      dropped[a] = true
    :: else
    fi
  }
  j = 0;
#ifdef NO_FENCE
  recount_fence(a)
#endif
}

#define CAN_ROLL_BACK(a) \
  (rollbacks > 0 && lost[a] > 0 && \
    !(STATE(OWN(a)) == HELD && OVERLAP(MINE(a), SUBNET(WRITTEN(a, lost[a])))))
#define HELD_BEFORE(a, slot) \
  ((slot) > 1 && STATE(WRITTEN(a, (slot) - 1)) == HELD && \
    SUBNET(WRITTEN(a, (slot) - 1)) == SUBNET(WRITTEN(a, slot)))

/* An old disk is back: with a claim that was lost, and knowing nobody. What it may have known of
 * others can still arrive, record by record. */
inline roll_back(a, slot) {
  before = WRITTEN(a, slot);
  rollbacks--;
  for (j : 0 .. HOSTS - 1) {
    known[(a) * HOSTS + j] = 0
  }
  for (j : 0 .. SUBNETS - 1) {
    fence[(a) * SUBNETS + j] = 0
  }
  j = 0;
  EXPECT("but it does not come to rest (L6)\n", count[a] < WRITES);
  count[a] = count[a] + 1;
  restored[a] = count[a];
  OWN(a) = before;
  known[(a) * HOSTS + (a)] = count[a];
  raise_fence(a, SUBNET(before), EPOCH(before));
  contested[a] = false;
  synced[a] = false;
  printf("host %d is back with an old disk: subnet %d, epoch %d\n", a, SUBNET(before), EPOCH(before));
  before = 0
}

proctype Host(byte me) {
  byte slot;
  end: do
  :: atomic { !gone[me] && CAN_DELIVER(me, 0) -> deliver(me, 0) }
  :: atomic { !gone[me] && CAN_DELIVER(me, 1) -> deliver(me, 1) }
  :: d_step { !gone[me] && CAN_SYNC(me, 0) -> sync(me, 0) }
  :: d_step { !gone[me] && CAN_SYNC(me, 1) -> sync(me, 1) }
#if HOSTS > 2
  :: atomic { !gone[me] && CAN_DELIVER(me, 2) -> deliver(me, 2) }
  :: d_step { !gone[me] && CAN_SYNC(me, 2) -> sync(me, 2) }
#endif

  :: d_step { IDLE(me) && claims > 0 && !SOME_OF(TAKEN, me, 0) -> claims--; ask(me, 0) }
#if SUBNETS > 1
  :: d_step { IDLE(me) && claims > 0 && !SOME_OF(TAKEN, me, 1) -> claims--; ask(me, 1) }
#endif
  :: d_step { IDLE(me) && takeovers > 0 && SOME_OF(HELD_BY, me, 0) -> takeovers--; ask(me, 0) }

  :: d_step { MUST_GIVE_UP(me) ->
      printf("host %d gives up asking for subnet %d\n", me, MINE(me));
      write(me, RECORD(NONE, 0, 0, 0, 0, STAMP(OWN(me))))
    }
  :: d_step { STATE(OWN(me)) == TENTATIVE && !MUST_GIVE_UP(me) -> promote(me) }

  :: d_step { STATE(OWN(me)) == HELD && STRENGTH(OWN(me)) == 1 && !SOME(RIVAL, me) ->
      printf("host %d is acknowledged by a majority\n", me);
      write(me, RECORD(HELD, MINE(me), EPOCH(OWN(me)), 2, LOAD(OWN(me)), STAMP(OWN(me))))
    }
  :: d_step { MUST_YIELD(me) -> yield_claim(me) }
  :: d_step { MUST_REFUTE(me) ->
      asked_epoch(me);
      printf("host %d refutes, epoch %d\n", me, best);
      write(me, RECORD(HELD, MINE(me), best, STRENGTH(OWN(me)), LOAD(OWN(me)), STAMP(OWN(me))));
      best = 0
    }
#ifdef NO_RAISE
  :: d_step { MUST_RAISE(me) && contested[me] -> contested[me] = false; won[me] = true }
#else
  :: d_step { MUST_RAISE(me) ->
      printf("host %d raises subnet %d to epoch %d\n", me, MINE(me), FENCE(me, MINE(me)) + 1);
      won[me] = contested[me];
      contested[me] = false;
      write(me, RECORD(HELD, MINE(me), FENCE(me, MINE(me)) + 1, STRENGTH(OWN(me)), LOAD(OWN(me)), STAMP(OWN(me))))
    }
#endif

#if RELEASES > 0
  :: d_step { releases > 0 && STATE(OWN(me)) == HELD ->
      releases--;
      contested[me] = false;
      won[me] = false;
      give_up(MINE(me));
      printf("host %d releases subnet %d\n", me, MINE(me));
#ifdef RELEASE_WITHOUT_RAISE
      write(me, RECORD(RELEASED, MINE(me), EPOCH(OWN(me)), 0, 0, STAMP(OWN(me))))
#else
      write(me, RECORD(RELEASED, MINE(me), EPOCH(OWN(me)) + 1, 0, 0, STAMP(OWN(me))))
#endif
    }
#endif
#if FORGETS > 0
  :: d_step { forgets > 0 && SOME_OF(HELD_BY, me, 0) ->
      forgets--;
      printf("host %d forgets whoever holds subnet 0\n", me);
      best = FENCE(me, 0) + 1;
      raise_fence(me, 0, best);
      best = 0
    }
#endif
#if COLLECTS > 0
  :: d_step { collects > 0 && SOME(TOMBSTONE, me) -> collect(me) }
#endif
#if ROLLBACKS > 0
  :: atomic { CAN_ROLL_BACK(me) ->
      slot = lost[me];
      do
      :: HELD_BEFORE(me, slot) -> slot--
      :: break
      od;
      roll_back(me, slot);
      slot = 0
    }
#endif
#ifdef LIVE_LOAD
  :: d_step { loads > 0 && STATE(OWN(me)) == HELD ->
      loads--;
      printf("host %d has load %d\n", me, 1 - LOAD(OWN(me)));
      write(me, RECORD(HELD, MINE(me), EPOCH(OWN(me)), STRENGTH(OWN(me)), 1 - LOAD(OWN(me)), STAMP(OWN(me))))
    }
#endif
  od
}

/* Nothing is on its way and nobody has anything to do. */
inline check() {
  for (i : 0 .. HOSTS - 1) {
    EXPECT("but somebody still asks\n", gone[i] || STATE(OWN(i)) != TENTATIVE);
    EXPECT("but a holder is below the fence (S6)\n",
      gone[i] || STATE(OWN(i)) != HELD || EPOCH(OWN(i)) >= FENCE(i, MINE(i)));
    for (k : 0 .. HOSTS - 1) {
      EXPECT("but two hosts hold the same (S9)\n",
        i == k || STATE(OWN(i)) != HELD || STATE(OWN(k)) != HELD || !OVERLAP(MINE(i), MINE(k)));
      EXPECT("but somebody believes in another owner (S1, S10)\n",
        i == k || gone[i] || HOLDS(i, k) == (STATE(OWN(k)) == HELD));
      EXPECT("but somebody does not know the newest claim\n",
        i == k || gone[i] || gone[k] || KNOWS(i, k) == OWN(k))
    }
  }
  i = 0;
  k = 0
}

init {
  atomic {
    for (i : 0 .. HOSTS - 1) {
      synced[i] = true;
      run Host(i)
    }
    i = 0
  }
  timeout -> d_step { printf("all is quiet\n"); check() }
}
