// System calls that the Glibc module does not show to Swift, or shows as variadic functions or macros.
// Unless a comment says otherwise, each returns the call's result, or minus errno: no errno to fetch in time.
#ifndef CPOSIX_SHIMS_H
#define CPOSIX_SHIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The name of an error number, such as "EIO"; "unknown" where there is none.
const char *cposix_error_name(int number);

// Files

struct cposix_status {
    uint64_t device, inode;
    int64_t size, allocated_bytes, modified_nanoseconds;
    uint32_t mode, links, owner;
};

int cposix_close(int file);
ssize_t cposix_pread(int file, void *into, size_t count, int64_t offset);
ssize_t cposix_pwrite(int file, const void *from, size_t count, int64_t offset);
int cposix_fsync(int file);
int cposix_truncate(int file, int64_t size);
int cposix_chmod(int file, mode_t mode);
// Starts to write a range's dirty pages to the disk, and does not wait (sync_file_range). No durability by itself.
int cposix_begin_writeback(int file, int64_t offset, int64_t count);
int cposix_status_of(int file, struct cposix_status *status);
// fstatat(2) with AT_SYMLINK_NOFOLLOW.
int cposix_status_at(int folder, const char *path, struct cposix_status *status);
// fstatvfs(2): bytes that an unprivileged process may still write.
int64_t cposix_free_bytes(int file);
int cposix_mkdirat(int folder, const char *path, mode_t mode);
int cposix_renameat(int from_folder, const char *from, int to_folder, const char *to);
// linkat(2) that never follows a link.
int cposix_linkat(int from_folder, const char *from, int to_folder, const char *to);
int cposix_unlinkat(int folder, const char *path, bool is_folder);
int cposix_symlinkat(const char *target, int folder, const char *path);
ssize_t cposix_readlinkat(int folder, const char *path, char *into, size_t count);
// Opens a listing of `folder`, whose descriptor stays the caller's; NULL with minus errno in `*error`.
void *cposix_open_listing(int folder, int *error);
// The next name, without "." and "..": its length, 0 at the end. `name` holds 256 bytes.
int cposix_next_name(void *listing, char *name);
void cposix_close_listing(void *listing);
// openat(2); `mode` counts only where `flags` has O_CREAT.
int cposix_openat(int folder, const char *path, int flags, mode_t mode);
// pread(2) that answers -EAGAIN where the bytes are not in the page cache (preadv2 with RWF_NOWAIT).
ssize_t cposix_pread_nowait(int file, void *into, size_t count, int64_t offset);
// Makes `to` share all blocks of `from` (ioctl FICLONE): -EOPNOTSUPP or -EXDEV where the file system cannot.
int cposix_clone_file(int from, int to);
// copy_file_range(2) at explicit offsets.
ssize_t cposix_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t count);
// fallocate(2); `keep_size` reserves blocks past the end without moving the end.
int cposix_reserve(int file, int64_t offset, int64_t count, bool keep_size);
// fallocate(2) that gives the blocks of a range back (FALLOC_FL_PUNCH_HOLE); the length stays.
int cposix_punch(int file, int64_t offset, int64_t count);
// posix_fadvise(2), POSIX_FADV_RANDOM: reads bring nothing beyond what they ask for into the page cache.
int cposix_read_no_further(int file);
// lseek(2) with SEEK_DATA or SEEK_HOLE: where the next data, or the next hole, begins at or after `offset`.
// -ENXIO behind the last data, and behind the end. Blocks that are reserved and not written are a hole.
int64_t cposix_seek(int file, int64_t offset, bool hole);
// renameat2(2) with RENAME_NOREPLACE: -EEXIST where `to` is taken.
int cposix_rename_new(int from_folder, const char *from, int to_folder, const char *to);
// flock(2) without waiting: -EWOULDBLOCK where another holds it.
int cposix_try_lock(int file, bool exclusive);
int cposix_unlock(int file);
extern const int cposix_would_block;
// Sets or clears O_NONBLOCK.
int cposix_set_nonblocking(int file, bool on);
// pipe2(2) with O_CLOEXEC.
int cposix_pipe(int ends[2]);

// Processes

// Bytes of this process that are in memory (proc(5), statm), or minus errno.
int64_t cposix_resident_bytes(void);
// Before a long sleep: gives back free heap (malloc_trim(3)) and, where more than `most` bytes stay resident, lets go of
// all code and constants (madvise(2), MADV_DONTNEED), which are mapped again from the page cache, or the disk, as they
// are used. Returns the bytes of those that were let go of.
int64_t cposix_release_memory(int64_t most);
// How many CPUs this process may run on (sched_getaffinity(2)).
int cposix_allowed_cpus(void);
// close_range(2): sets FD_CLOEXEC on `first` and all above it.
int cposix_close_on_exec_from(unsigned first);
// A descriptor that becomes readable when the process ends (pidfd_open).
int cposix_pidfd_open(pid_t process);
// waitpid(2); EINTR is retried. 0 with `WNOHANG` where the process still runs.
pid_t cposix_wait(pid_t process, int *status, bool hang);
// The parts of a wait status: an exit code or a signal, the other is -1.
int cposix_exit_code(int status);
int cposix_termination_signal(int status);
// A child process with limits

// What a limited child is to be; all pointers stay the caller's. Limits of 0 are not set.
struct cposix_child {
    const char *program;
    char *const *arguments, *const *environment;
    // The folder it starts in.
    const char *folder;
    // Descriptors to become 0, 1 and 2; all others are closed.
    int input, output, error;
    uint64_t address_space, cpu_seconds, file_size, open_files;
    // 0 to 19: how far it stands back behind others.
    int niceness;
};

// What keeps the child from the network: bits of `isolation`.
extern const int cposix_isolated_by_namespace, cposix_isolated_by_filter;

// Starts a child in a process group of its own: no core dumps, no new privileges, killed with the thread that started it,
// first in line when memory runs out, no network as far as the kernel allows, no way out of its process group.
// Between fork and exec there are only system calls. Returns its process id once `program` runs, or minus errno with
// the failed step in `*step`, a literal; `*isolation` says what was possible.
pid_t cposix_start_child(const struct cposix_child *child, int *isolation, const char **step);
// Whether the child has ended (1) or still runs (0), without reaping it.
int cposix_has_ended(pid_t process);
// Kills the group that the child leads. The child must not have been reaped, so that the number is still its own.
int cposix_kill_group(pid_t process);

// CPU time of a child in nanoseconds, reaped in one call (wait4). Its largest resident size is not asked for here: the
// kernel counts what the child had of its parent before it became another program.
pid_t cposix_wait_usage(pid_t process, int *status, bool hang, int64_t *cpu_nanoseconds);

// Clocks: nanoseconds, never failing.

int64_t cposix_realtime(void);
int64_t cposix_monotonic(void);
// As monotonic, and goes on while the machine is suspended.
int64_t cposix_boottime(void);
// Sleeps; a signal may end it early.
void cposix_pause(int64_t nanoseconds);

// Sockets

// A listening Unix stream socket at `path`, with these permission bits from the start; closed on exec, never waiting.
// -ENAMETOOLONG above 107 bytes; -EADDRINUSE where the name is taken, also by a socket that nobody listens on.
int cposix_listen_unix(const char *path, mode_t mode, int backlog);
// The next connection, closed on exec and never waiting; -EAGAIN where there is none.
int cposix_accept(int listener);
// A connected Unix stream socket, closed on exec; `nanoseconds` bound each later send and receive (0: for ever).
int cposix_connect_unix(const char *path, int64_t nanoseconds);
// Sends without SIGPIPE, with a descriptor attached (SCM_RIGHTS) unless it is negative. `count` is at least 1.
ssize_t cposix_send(int socket, const void *bytes, size_t count, int descriptor);
// Receives; `*descriptor` is the one that came along, closed on exec, or -1. What came beyond one is closed.
ssize_t cposix_receive(int socket, void *into, size_t count, int *descriptor);
// The process and user at the other end of a Unix socket (SO_PEERCRED), as they were when it connected.
int cposix_peer(int socket, pid_t *process, uid_t *user, gid_t *group);

// Sends one datagram to a Unix socket, as sd_notify(3) does; a path that begins with '@' is an abstract one.
int cposix_notify(const char *path, const void *message, size_t count);

#endif
