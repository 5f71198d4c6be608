/**
 * The one door into libc: every foreign function gossamer calls, with its C types beside it.
 * The library is opened on first use, so that commands which never touch the kernel need no FFI
 * permission, and a libc other than glibc fails with a sentence instead of at import.
 */
import { SysError } from "./errno.ts";

/**
 * Symbols of libc.so.6. Calls are synchronous and run on the calling thread, whose errno and
 * network namespace they use; `poll_wait` and `send_wait` alone run on a pool thread.
 */
const SYMBOLS = {
  __errno_location: {
    parameters: [],
    result: "pointer", // int *
  },
  close: {
    parameters: ["i32"], // int fd
    result: "i32", // int
  },
  open: {
    parameters: [
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // mode_t mode
    ],
    result: "i32", // int
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "usize", // size_t count
    ],
    result: "isize", // ssize_t
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "usize", // size_t count
    ],
    result: "isize", // ssize_t
  },
  socket: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
    ],
    result: "i32", // int
  },
  bind: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32", // int
  },
  connect: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32", // int
  },
  getsockname: {
    parameters: [
      "i32", // int sockfd
      "buffer", // struct sockaddr *addr
      "buffer", // socklen_t *addrlen
    ],
    result: "i32", // int
  },
  setsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // const void *optval
      "u32", // socklen_t optlen
    ],
    result: "i32", // int
  },
  getsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // void *optval
      "buffer", // socklen_t *optlen
    ],
    result: "i32", // int
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "usize", // unsigned long op
      "buffer", // void *argp: variadic, and passed as any other argument on x86-64 and arm64 Linux
    ],
    result: "i32", // int
  },
  ioctl_number: {
    name: "ioctl",
    parameters: [
      "i32", // int fd
      "usize", // unsigned long op
      "usize", // unsigned long arg: for requests that take a number and no pointer
    ],
    result: "i32", // int
  },
  send: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const void *buf
      "usize", // size_t len
      "i32", // int flags
    ],
    result: "isize", // ssize_t
  },
  recv: {
    parameters: [
      "i32", // int sockfd
      "buffer", // void *buf
      "usize", // size_t len
      "i32", // int flags
    ],
    result: "isize", // ssize_t
  },
  sendto: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const void *buf
      "usize", // size_t len
      "i32", // int flags
      "buffer", // const struct sockaddr *dest_addr
      "u32", // socklen_t addrlen
    ],
    result: "isize", // ssize_t
  },
  recvfrom: {
    parameters: [
      "i32", // int sockfd
      "buffer", // void *buf
      "usize", // size_t len
      "i32", // int flags
      "buffer", // struct sockaddr *src_addr
      "buffer", // socklen_t *addrlen
    ],
    result: "isize", // ssize_t
  },
  send_wait: {
    name: "send",
    parameters: [
      "i32", // int sockfd
      "buffer", // const void *buf
      "usize", // size_t len
      "i32", // int flags
    ],
    result: "isize", // ssize_t; errno is that of the pool thread and cannot be read here
    nonblocking: true,
  },
  eventfd: {
    parameters: [
      "u32", // unsigned int initval
      "i32", // int flags
    ],
    result: "i32", // int
  },
  clock_gettime: {
    parameters: [
      "i32", // clockid_t clockid
      "buffer", // struct timespec *tp
    ],
    result: "i32", // int
  },
  poll_wait: {
    name: "poll",
    parameters: [
      "buffer", // struct pollfd *fds
      "usize", // nfds_t nfds
      "i32", // int timeout, milliseconds, -1 is for ever
    ],
    result: "i32", // int; errno is that of the pool thread and cannot be read here
    nonblocking: true,
  },
  unshare: {
    parameters: ["i32"], // int flags
    result: "i32", // int
  },
  setns: {
    parameters: [
      "i32", // int fd
      "i32", // int nstype
    ],
    result: "i32", // int
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** What moves packets, with addresses as numbers: a view made for each call would be garbage a million times a second. */
const PACKET_SYMBOLS = {
  read: {
    parameters: [
      "i32", // int fd
      "usize", // void *buf
      "usize", // size_t count
    ],
    result: "isize", // ssize_t
  },
  write: {
    parameters: [
      "i32", // int fd
      "usize", // const void *buf
      "usize", // size_t count
    ],
    result: "isize", // ssize_t
  },
  writev: {
    parameters: [
      "i32", // int fd
      "usize", // const struct iovec *iov
      "i32", // int iovcnt
    ],
    result: "isize", // ssize_t
  },
  sendmsg: {
    parameters: [
      "i32", // int sockfd
      "usize", // const struct msghdr *msg
      "i32", // int flags
    ],
    result: "isize", // ssize_t
  },
  sendmmsg: {
    parameters: [
      "i32", // int sockfd
      "usize", // struct mmsghdr *msgvec
      "u32", // unsigned int vlen
      "i32", // int flags
    ],
    result: "i32", // int
  },
  recvmmsg: {
    parameters: [
      "i32", // int sockfd
      "usize", // struct mmsghdr *msgvec
      "u32", // unsigned int vlen
      "i32", // int flags
      "usize", // struct timespec *timeout
    ],
    result: "i32", // int
  },
  poll: {
    parameters: [
      "usize", // struct pollfd *fds
      "usize", // nfds_t nfds
      "i32", // int timeout, milliseconds, -1 is for ever
    ],
    result: "i32", // int
  },
} as const satisfies Deno.ForeignLibraryInterface;

type PacketCalls = Deno.DynamicLibrary<typeof PACKET_SYMBOLS>["symbols"];

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

interface Loaded {
  readonly symbols: Symbols;
  readonly errno: Int32Array;
}

let loaded: Loaded | null = null;

function load(): Loaded {
  let library: Deno.DynamicLibrary<typeof SYMBOLS>;
  try {
    library = Deno.dlopen("libc.so.6", SYMBOLS);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new Error(
      "Cannot load libc.so.6: gossamer needs Linux with glibc (musl systems are not supported)",
      { cause },
    );
  }
  const location = library.symbols.__errno_location();
  if (location === null) throw new Error("Cannot find errno: libc gave a null address");
  // errno is a variable of the thread that lives as long as the thread: one look-up is enough,
  // and reading it through a view leaves no call between the failure and the reading of it.
  const memory = Deno.UnsafePointerView.getArrayBuffer(location, Int32Array.BYTES_PER_ELEMENT);
  return { symbols: library.symbols, errno: new Int32Array(memory) };
}

/** The functions of libc. Throws when this is not a Linux system with glibc. */
export function libc(): Symbols {
  loaded ??= load();
  return loaded.symbols;
}

let packetCallsLoaded: PacketCalls | null = null;

/** The functions that move packets; all block the calling thread. Opened on first use: few commands need them. */
export function packetCalls(): PacketCalls {
  libc(); // says what is wrong with this host, and finds errno
  packetCallsLoaded ??= Deno.dlopen("libc.so.6", PACKET_SYMBOLS).symbols;
  return packetCallsLoaded;
}

/** The calling thread's errno. Only meaningful right after a synchronous call that failed. */
export function lastErrno(): number {
  loaded ??= load();
  return loaded.errno[0] ?? 0;
}

/** Returns `result`, or throws the SysError that errno names when it is negative. */
export function check(op: string, result: number, remedy = ""): number {
  if (result < 0) throw new SysError(op, lastErrno(), remedy);
  return result;
}
