#define _GNU_SOURCE
#include "CPosixShims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/fs.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Minus errno for a failed call, its result otherwise.
#define ANSWER(call)                                                                               \
    do {                                                                                           \
        __typeof__(call) answer = (call);                                                          \
        return answer < 0 ? -errno : answer;                                                       \
    } while (0)

const char *cposix_error_name(int number) {
    const char *name = strerrorname_np(number);
    return name ? name : "unknown";
}

int cposix_close(int file) { ANSWER(close(file)); }

ssize_t cposix_pread(int file, void *into, size_t count, int64_t offset) {
    ANSWER(pread(file, into, count, offset));
}

ssize_t cposix_pwrite(int file, const void *from, size_t count, int64_t offset) {
    ANSWER(pwrite(file, from, count, offset));
}

int cposix_fsync(int file) { ANSWER(fsync(file)); }

int cposix_truncate(int file, int64_t size) { ANSWER(ftruncate(file, size)); }

int cposix_chmod(int file, mode_t mode) { ANSWER(fchmod(file, mode)); }

int cposix_begin_writeback(int file, int64_t offset, int64_t count) {
    ANSWER(sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE));
}

static void fill(struct cposix_status *status, const struct stat *from) {
    *status = (struct cposix_status){
        .device = from->st_dev,
        .inode = from->st_ino,
        .size = from->st_size,
        .allocated_bytes = (int64_t)from->st_blocks * 512,
        .modified_nanoseconds = from->st_mtim.tv_sec * INT64_C(1000000000) + from->st_mtim.tv_nsec,
        .mode = from->st_mode,
        .links = (uint32_t)from->st_nlink,
        .owner = from->st_uid,
    };
}

int cposix_status_of(int file, struct cposix_status *status) {
    struct stat found;
    if (fstat(file, &found) < 0) return -errno;
    fill(status, &found);
    return 0;
}

int cposix_status_at(int folder, const char *path, struct cposix_status *status) {
    struct stat found;
    if (fstatat(folder, path, &found, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    fill(status, &found);
    return 0;
}

int64_t cposix_free_bytes(int file) {
    struct statvfs found;
    if (fstatvfs(file, &found) < 0) return -errno;
    return (int64_t)(found.f_bavail * found.f_frsize);
}

int cposix_mkdirat(int folder, const char *path, mode_t mode) {
    ANSWER(mkdirat(folder, path, mode));
}

int cposix_renameat(int from_folder, const char *from, int to_folder, const char *to) {
    ANSWER(renameat(from_folder, from, to_folder, to));
}

int cposix_linkat(int from_folder, const char *from, int to_folder, const char *to) {
    ANSWER(linkat(from_folder, from, to_folder, to, 0));
}

int cposix_unlinkat(int folder, const char *path, bool is_folder) {
    ANSWER(unlinkat(folder, path, is_folder ? AT_REMOVEDIR : 0));
}

int cposix_symlinkat(const char *target, int folder, const char *path) {
    ANSWER(symlinkat(target, folder, path));
}

ssize_t cposix_readlinkat(int folder, const char *path, char *into, size_t count) {
    ANSWER(readlinkat(folder, path, into, count));
}

void *cposix_open_listing(int folder, int *error) {
    int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = own < 0 ? NULL : fdopendir(own);
    if (listing) return listing;
    *error = -errno;
    if (own >= 0) close(own);
    return NULL;
}

int cposix_next_name(void *listing, char *name) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(listing);
        if (!entry) return -errno;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        size_t length = strlen(entry->d_name);
        memcpy(name, entry->d_name, length + 1);
        return (int)length;
    }
}

void cposix_close_listing(void *listing) { closedir(listing); }

int cposix_openat(int folder, const char *path, int flags, mode_t mode) {
    ANSWER(openat(folder, path, flags, mode));
}

ssize_t cposix_pread_nowait(int file, void *into, size_t count, int64_t offset) {
    struct iovec part = {.iov_base = into, .iov_len = count};
    ANSWER(preadv2(file, &part, 1, offset, RWF_NOWAIT));
}

int cposix_clone_file(int from, int to) { ANSWER(ioctl(to, FICLONE, from)); }

ssize_t cposix_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t count) {
    off64_t source = from_offset, target = to_offset;
    ANSWER(copy_file_range(from, &source, to, &target, count, 0));
}

int cposix_reserve(int file, int64_t offset, int64_t count, bool keep_size) {
    ANSWER(fallocate(file, keep_size ? FALLOC_FL_KEEP_SIZE : 0, offset, count));
}

int cposix_punch(int file, int64_t offset, int64_t count) {
    ANSWER(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count));
}

int cposix_read_no_further(int file) { return -posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); }

int64_t cposix_seek(int file, int64_t offset, bool hole) {
    ANSWER(lseek(file, offset, hole ? SEEK_HOLE : SEEK_DATA));
}

int cposix_rename_new(int from_folder, const char *from, int to_folder, const char *to) {
    ANSWER(renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE));
}

int cposix_try_lock(int file, bool exclusive) {
    ANSWER(flock(file, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB));
}

const int cposix_would_block = EWOULDBLOCK;

int cposix_unlock(int file) { ANSWER(flock(file, LOCK_UN)); }

int cposix_set_nonblocking(int file, bool on) {
    int flags = fcntl(file, F_GETFL);
    if (flags < 0) return -errno;
    ANSWER(fcntl(file, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int cposix_pipe(int ends[2]) { ANSWER(pipe2(ends, O_CLOEXEC)); }

// Whether the loader has written relocations into what is otherwise the file's alone.
static bool has_changed_text(const struct dl_phdr_info *object) {
    for (int index = 0; index < object->dlpi_phnum; index++) {
        if (object->dlpi_phdr[index].p_type != PT_DYNAMIC) continue;
        const uintptr_t start = object->dlpi_addr + object->dlpi_phdr[index].p_vaddr;
        for (const ElfW(Dyn) *entry = (const ElfW(Dyn) *)start; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                return true;
    }
    return false;
}

// Only what is not mapped to be written: such pages are the file's, and nobody has changed them.
static int release_mapped(struct dl_phdr_info *object, size_t size, void *released) {
    (void)size;
    if (has_changed_text(object)) return 0;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
        const uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
        const uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
        if (madvise((void *)start, end - start, MADV_DONTNEED) == 0)
            *(int64_t *)released += (int64_t)(end - start);
    }
    return 0;
}

int64_t cposix_resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return -errno;
    long all, resident;
    const int count = fscanf(file, "%ld %ld", &all, &resident);
    fclose(file);
    return count == 2 ? (int64_t)resident * sysconf(_SC_PAGESIZE) : -EIO;
}

int64_t cposix_release_memory(int64_t most) {
    malloc_trim(0);
    const int64_t resident = cposix_resident_bytes();
    if (resident >= 0 && resident <= most) return 0;
    int64_t released = 0;
    dl_iterate_phdr(release_mapped, &released);
    return released;
}

int cposix_allowed_cpus(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0) return -errno;
    return CPU_COUNT(&allowed);
}

int cposix_close_on_exec_from(unsigned first) {
    ANSWER(close_range(first, ~0U, CLOSE_RANGE_CLOEXEC));
}

int cposix_pidfd_open(pid_t process) { ANSWER((int)syscall(SYS_pidfd_open, process, 0)); }

pid_t cposix_wait(pid_t process, int *status, bool hang) {
    return cposix_wait_usage(process, status, hang, NULL);
}

int cposix_exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

int cposix_termination_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : -1; }

pid_t cposix_wait_usage(pid_t process, int *status, bool hang, int64_t *cpu_nanoseconds) {
    struct rusage usage;
    pid_t answer;
    do {
        answer = wait4(process, status, hang ? 0 : WNOHANG, &usage);
    } while (answer < 0 && errno == EINTR);
    if (answer < 0) return -errno;
    if (answer > 0 && cpu_nanoseconds) {
        *cpu_nanoseconds = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000000)
            + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000);
    }
    return answer;
}

static int64_t reading(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int64_t cposix_realtime(void) { return reading(CLOCK_REALTIME); }
int64_t cposix_monotonic(void) { return reading(CLOCK_MONOTONIC); }
int64_t cposix_boottime(void) { return reading(CLOCK_BOOTTIME); }

void cposix_pause(int64_t nanoseconds) {
    struct timespec time = {
        .tv_sec = nanoseconds / INT64_C(1000000000),
        .tv_nsec = nanoseconds % INT64_C(1000000000),
    };
    nanosleep(&time, NULL);
}

int cposix_peer(int socket, pid_t *process, uid_t *user, gid_t *group) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *process = peer.pid;
    *user = peer.uid;
    *group = peer.gid;
    return 0;
}

static int address_of(const char *path, struct sockaddr_un *address, socklen_t *length) {
    size_t count = strlen(path);
    if (count == 0 || count >= sizeof address->sun_path) return -ENAMETOOLONG;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, count);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + 1);
    if (path[0] == '@') {
        address->sun_path[0] = 0;
        *length -= 1;
    }
    return 0;
}

int cposix_notify(const char *path, const void *message, size_t count) {
    struct sockaddr_un address;
    socklen_t length;
    int error = address_of(path, &address, &length);
    if (error < 0) return error;
    int end = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end < 0) return -errno;
    ssize_t sent = sendto(end, message, count, MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    int result = sent == (ssize_t)count ? 0 : sent < 0 ? -errno : -EMSGSIZE;
    close(end);
    return result;
}

// Closes the socket of a failed step and keeps its error number.
static int give_up(int file) {
    int error = -errno;
    close(file);
    return error;
}

int cposix_listen_unix(const char *path, mode_t mode, int backlog) {
    struct sockaddr_un address;
    socklen_t length;
    int error = address_of(path, &address, &length);
    if (error < 0) return error;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0) return -errno;
    // bind(2) makes the name with the bits that the socket has, less the umask's.
    if (fchmod(file, mode) < 0) return give_up(file);
    if (bind(file, (struct sockaddr *)&address, length) < 0) return give_up(file);
    if (listen(file, backlog) < 0) return give_up(file);
    return file;
}

int cposix_accept(int listener) {
    ANSWER(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int cposix_connect_unix(const char *path, int64_t nanoseconds) {
    struct sockaddr_un address;
    socklen_t length;
    int error = address_of(path, &address, &length);
    if (error < 0) return error;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -errno;
    struct timeval limit = {
        .tv_sec = nanoseconds / INT64_C(1000000000),
        .tv_usec = nanoseconds % INT64_C(1000000000) / 1000,
    };
    if (setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) return give_up(file);
    if (setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0) return give_up(file);
    if (connect(file, (struct sockaddr *)&address, length) < 0) return give_up(file);
    return file;
}

union one_descriptor {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

ssize_t cposix_send(int socket, const void *bytes, size_t count, int descriptor) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union one_descriptor control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    ANSWER(sendmsg(socket, &message, MSG_NOSIGNAL));
}

ssize_t cposix_receive(int socket, void *into, size_t count, int *descriptor) {
    struct iovec part = {.iov_base = into, .iov_len = count};
    // Room for one, and by its alignment for two: the kernel closes those for which there is none.
    union one_descriptor control = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.space,
    };
    *descriptor = -1;
    ssize_t answer = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (answer < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int found[2];
        size_t bytes = header->cmsg_len - CMSG_LEN(0);
        if (bytes > sizeof found) bytes = sizeof found;
        memcpy(found, CMSG_DATA(header), bytes);
        for (size_t index = 0; index < bytes / sizeof(int); index++) {
            if (*descriptor < 0) *descriptor = found[index];
            else close(found[index]);
        }
    }
    return answer;
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
/// The wait of Swift's `Mutex` for another thread, in the place of the standard library's own.
///
/// The sanitizer does not see into the standard library, and takes what two threads do under one lock for a race
/// wherever one of them had to wait. `word` is the lock's, 0 while nobody holds it; `self` the number of this thread.
/// Nobody sleeps in the kernel here, so that the fast path of unlocking always does.
__attribute__((swiftcall)) void cposix_lock_slow(
    uint32_t self, __attribute__((swift_context)) uint32_t *word)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void cposix_lock_slow(
    uint32_t self, __attribute__((swift_context)) uint32_t *word) {
    uint32_t nobody = 0;
    while (!__atomic_compare_exchange_n(
        word, &nobody, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        nobody = 0;
        sched_yield();
    }
}
#endif
#endif
