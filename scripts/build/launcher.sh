#!/bin/sh
# gossamer in one file: this launcher, then the program and the Deno runtime, packed with gzip.
# The first start unpacks both into a directory; every later start is tests and one exec, no fork.
# Plain POSIX shell: dash, bash and busybox ash run it. Where and why: docs/installing.md.

# PACKED: the build replaces this line by what it packed, gossamer_id and the other names below

case $0 in
  /*) gossamer_self=$0 ;;
  ./*) gossamer_self=${PWD%/}/${0#./} ;;
  */*) gossamer_self=${PWD%/}/$0 ;;
  *) # Only by `sh gossamer`: what the kernel or a shell starts has a path.
    gossamer_self=${PWD%/}/$0
    [ -f "$gossamer_self" ] || gossamer_self=$(command -v -- "$0") ;;
esac

# gossamer_ready BASE: BASE holds this version, everything in it is our own, and it may be executed
# (-x is false on a file system mounted noexec). What is not our own needs the closer look below.
gossamer_ready() {
  gossamer_home=$1/$gossamer_id
  [ -O "$1" ] && [ -O "$gossamer_home" ] && [ -O "$gossamer_home/gossamer" ] &&
    [ -x "$gossamer_home/gossamer" ] && [ -O "$gossamer_home/gossamer.js" ]
}

# Prints the directory that holds this version, after unpacking it where necessary.
# The body is a subshell: nothing in here reaches the program's environment.
gossamer_unpack() (
  umask 022
  LC_ALL=C
  export LC_ALL
  unset CDPATH
  nl='
'
  # Set before use: a variable of the same name in the environment must not count, least of all
  # one that is the argument of rm.
  fresh= home= made= reasons= why=

  again="copy or download it again"
  runtime_mark=.runtime-$gossamer_runtime_short

  fail() {
    printf 'gossamer: %s\n' "$1" >&2
    exit 1
  }

  # look PATH: what lstat says, as mode, owner and group
  look() {
    # shellcheck disable=SC2046
    set -- $(ls -ldn -- "$1" 2>/dev/null)
    mode=${1:-} owner=${3:-} group=${4:-}
  }

  friend() { case $owner in 0 | "$uid" | "$unmapped") ;; *) return 1 ;; esac; }

  # whose PATH: fails, with why set, if somebody else could put files of his own there
  whose() {
    if [ -L "$1" ]; then
      look "$1"
      friend || { why="$1 is a link made by user $owner" && return 1; }
      look "$1/."
    else
      look "$1"
    fi
    friend || { why="$1 belongs to user $owner" && return 1; }
    case $mode in
      *[tT] | *[tT][.+@]) ;;
      ????????w*) why="$1 can be written by every user" && return 1 ;;
      ?????w*) if [ "$uid" = 0 ] && [ "$group" != 0 ]; then
        why="$1 can be written by group $group" && return 1
      fi ;;
    esac
  }

  # trusted PATH: the same for PATH, as far as it exists, and every directory above it
  trusted() {
    path=$1
    while :; do
      if [ -e "${path:-/}" ]; then whose "${path:-/}" || return 1; fi
      [ -n "$path" ] || return 0
      path=${path%/*}
    done
  }

  # usable BASE: BASE holds this version and nobody else can have prepared it
  usable() {
    home=$1/$gossamer_id
    [ -x "$home/gossamer" ] && [ -r "$home/gossamer.js" ] && trusted "$home" &&
      whose "$home/gossamer" && whose "$home/gossamer.js"
  }

  payload() { tail -c "+$gossamer_program_at" <"$gossamer_self"; }
  program() { payload | head -c "$gossamer_program_size" | gzip -dc; }
  runtime() { tail -c "+$gossamer_runtime_at" <"$gossamer_self" | gzip -dc; }

  # verified DIRECTORY: the program and the runtime are what was packed
  verified() {
    (cd -- "$1" && sha256sum -c >/dev/null 2>&1) <<END
$gossamer_program_sum  program.json
$gossamer_runtime_sum  gossamer
END
  }

  # clean BASE: removes what unpackings that were killed have left there.
  clean() {
    for old in "$1"/.unpack.*; do
      [ -d "$old" ] || continue
      # A process identifier means something only in the same boot and the same pid namespace, and
      # /proc may be that of another namespace.
      case $old in "$1/.unpack.$here."*)
        kill -0 "${old##*.}" 2>/dev/null || rm -rf -- "$old" ;;
      esac
      [ -z "$(find "$old" -prune -mmin +60 2>/dev/null)" ] || rm -rf -- "$old"
    done
  }

  # retire BASE: removes the other versions there that no process runs. One that /proc does not show
  # goes on, for it has read all its modules; one unpacked a minute ago may be about to start.
  retire() {
    running=$(ls -l /proc/[0-9]*/exe 2>/dev/null)
    real=$(cd -P -- "$1" && pwd -P) && [ -n "$running" ] || return 0
    for old in "$real"/[0-9a-f][0-9a-f][0-9a-f][0-9a-f]*; do
      [ -f "$old/gossamer.js" ] && [ "${old##*/}" != "$gossamer_id" ] || continue
      case $running in *" -> $old/gossamer"*) continue ;; esac
      [ -z "$(find "$old" -prune -mmin +1 2>/dev/null)" ] || rm -rf -- "$old"
    done
  }

  # fill DIRECTORY: writes the packed program and the runtime, or fails with why set
  fill() {
    why=$({ program >"$1/program.json"; } 2>&1) || return 1
    # A version unpacked before mostly has the same runtime: 100 MB that need no second copy.
    for old in "${1%/*}"/*/"$runtime_mark"; do
      [ -e "$old" ] && ln -- "${old%/*}/gossamer" "$1/gossamer" 2>/dev/null && break
    done
    if ! verified "$1"; then
      rm -f -- "$1/gossamer"
      why=$({ runtime >"$1/gossamer"; } 2>&1) || return 1
      verified "$1" || { why="what was written there does not read back the same" && return 1; }
    fi
    why=$({ chmod 755 "$1/gossamer" && mkdir "$1/cache" && : >"$1/$runtime_mark"; } 2>&1)
  }

  # settle DIRECTORY HOME: takes the program apart into its modules, makes what is in DIRECTORY
  # durable, then moves it to HOME with one rename(2). That fails if another start was faster, and then that one's is used.
  settle() {
    # HOME keeps it from reading the user's .npmrc.
    HOME=$1 DENO_DIR=$1/cache DENO_NO_UPDATE_CHECK=1 \
      "$1/gossamer" eval --ext=js --no-config --no-lock --no-npm '
      const [from, to] = Deno.args;
      try {
        const packed = `${from}/program.json`;
        if (Deno.readDirSync(from).some(({ name }) => name === "program.json")) {
          const modules = JSON.parse(Deno.readTextFileSync(packed));
          for (const name in modules) Deno.writeTextFileSync(`${from}/${name}`, modules[name]);
          Deno.removeSync(packed);
        }
        for (const { name, isFile } of [...Deno.readDirSync(from), { name: ".", isFile: true }]) {
          if (!isFile) continue;
          const file = Deno.openSync(`${from}/${name}`);
          file.syncSync();
          file.close();
        }
        Deno.renameSync(from, to);
      } catch (error) {
        console.error(error instanceof Error ? error.message : error);
        Deno.exit(1);
      }' "$1" "$2" 2>&1
  }

  # warm HOME: one start that leaves the compiled code of every module for the later ones. If it
  # fails, they do without. Nothing of the environment may count: CNI_COMMAND would make it a CNI
  # plugin.
  warm() {
    env -i DENO_DIR="$1/cache" HOME="$1" DENO_NO_UPDATE_CHECK=1 "$1/gossamer" run $gossamer_flags \
      "$1/warm.js" version </dev/null >/dev/null 2>&1 || :
  }

  # place BASE: unpacks into BASE, or fails with why set
  place() {
    clean "$1"
    fresh=$1/.unpack.$here.$$
    rm -rf -- "$fresh"
    why=$(mkdir -m 755 -- "$fresh" 2>&1) || return 1
    trap 'rm -rf -- "$fresh"' EXIT
    trap 'exit 1' HUP INT TERM
    # A script of one line tells a noexec mount before 100 MB are written to it.
    why=$({ printf '#!/bin/sh\n' >"$fresh/probe" && chmod 755 "$fresh/probe"; } 2>&1) || return 1
    "$fresh/probe" 2>/dev/null ||
      { why="programs cannot be started there (mounted noexec?)" && return 1; }
    rm -f -- "$fresh/probe"
    if ! fill "$fresh"; then
      [ "$(payload | sha256sum)" = "$gossamer_payload_sum  -" ] ||
        fail "$gossamer_self is damaged (the packed part has changed); $again"
      return 1
    fi
    runs=0
    why=$("$fresh/gossamer" -V 2>&1) || runs=$?
    [ $runs = 0 ] ||
      fail "the packed runtime does not start here (exit code $runs): ${why%%"$nl"*}"
    why=$(settle "$fresh" "$1/$gossamer_id") || {
      usable "$1" || { mv -- "$1/$gossamer_id" "$fresh/broken" 2>/dev/null &&
        why=$(settle "$fresh" "$1/$gossamer_id") && rm -rf -- "$1/$gossamer_id/broken"; }
    }
    rm -rf -- "$fresh"
    usable "$1" && warm "$1/$gossamer_id" && retire "$1"
  }

  # private BASE: in a directory open to all, BASE itself has to be a real one, ours and closed
  private() {
    [ "$1" = "$last" ] || return 0
    look "$1"
    case $mode,$owner in
      drwx------*,"$uid") ;;
      *) why="not a directory of this user with mode 0700" && return 1 ;;
    esac
  }

  # make BASE: makes the directory where it is missing, or fails with why set
  make() {
    trusted "$1" || return 1
    [ -e "$1" ] || made=$1
    if [ "$1" = "$last" ]; then
      # No -p: its mode has to be part of making it.
      [ -d "$1" ] || why=$(mkdir -m 700 -- "$1" 2>&1) || return 1
      private "$1" || return 1
    else
      why=$(mkdir -p -- "$1" 2>&1) || return 1
    fi
    whose "$1" || return 1
    [ -w "$1" ] || { why="not writable" && return 1; }
  }

  # try BASE: succeeds, with home set, once BASE holds this version
  try() {
    why=
    usable "$1" && return 0
    if [ -z "$why" ] && make "$1" && place "$1"; then return 0; fi
    [ -z "$fresh" ] || rm -rf -- "$fresh"
    [ "$made" != "$1" ] || rmdir -- "$1" 2>/dev/null
    # GNU gzip begins its messages with an empty line.
    why=${why#"$nl"}
    reasons="$reasons$nl  $1: ${why%%"$nl"*}"
    return 1
  }

  for tool in chmod env gzip head id ln ls mkdir mv rm sha256sum tail uname wc; do
    command -v $tool >/dev/null ||
      fail "the first start needs the command $tool, which is not on PATH ($PATH); install it"
  done
  [ -r "$gossamer_self" ] ||
    fail "cannot read its own file \"$gossamer_self\"; start it by its full path"
  [ "$(uname -sm)" = "Linux $gossamer_machine" ] ||
    fail "this file is for Linux $gossamer_machine, this is $(uname -sm)"
  [ -e "$gossamer_interpreter" ] ||
    fail "needs glibc: $gossamer_interpreter is missing (Alpine and other musl systems have none)"
  size=$(wc -c <"$gossamer_self")
  [ "$((size))" = "$gossamer_size" ] ||
    fail "$gossamer_self is damaged ($((size)) bytes instead of $gossamer_size); $again"

  uid=$(id -u)
  # In a user namespace whoever is not mapped, mostly the host's root, shows as 65534.
  unmapped=$uid
  read -r _ _ mapped </proc/self/uid_map && [ "$mapped" != 4294967295 ] && unmapped=65534
  last=${TMPDIR:-/tmp}/gossamer-$uid
  here=$(readlink /proc/self/ns/pid 2>/dev/null)
  here=${here#pid:?}
  read -r boot </proc/sys/kernel/random/boot_id
  here=${here%?}-${boot%%-*}

  found() {
    printf '%s\n' "$home"
    exit 0
  }
  if [ -n "$gossamer_wanted" ]; then
    try "$gossamer_wanted" && found
    printf 'gossamer: GOSSAMER_RUNTIME_DIR is not used:%s\n' "${reasons#"$nl" }" >&2
  fi
  system=
  [ "$uid" != 0 ] || system=/var/cache/gossamer
  for base in "$system" "$gossamer_user" "$last"; do
    if [ -n "$base" ] && private "$base" && usable "$base"; then found; fi
  done
  for base in "$system" "$gossamer_user" "$last"; do
    if [ -n "$base" ] && try "$base"; then found; fi
  done
  fail "found no place to unpack its runtime ($gossamer_megabytes MB). Tried:$reasons
  Set GOSSAMER_RUNTIME_DIR to a writable directory with that much room, not mounted noexec"
)

gossamer_wanted=${GOSSAMER_RUNTIME_DIR:-}
gossamer_user=${XDG_CACHE_HOME:-${HOME:+${HOME%/}/.cache}}
case $gossamer_user in /*) gossamer_user=${gossamer_user%/}/gossamer ;; *) gossamer_user= ;; esac
case $gossamer_wanted in '' | /*) ;; *) gossamer_wanted=${PWD%/}/$gossamer_wanted ;; esac

if [ -n "$gossamer_wanted" ]; then
  gossamer_ready "$gossamer_wanted"
else
  { [ -O / ] && gossamer_ready /var/cache/gossamer; } ||
    { [ -O "${gossamer_user%/*/*}" ] && gossamer_ready "$gossamer_user"; }
fi || gossamer_home=$(gossamer_unpack) || exit 1

export GOSSAMER_EXECUTABLE="$gossamer_self" DENO_DIR="$gossamer_home/cache"
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
exec "$gossamer_home/gossamer" run $gossamer_flags "$gossamer_home/gossamer.js" "$@"
exit 1
