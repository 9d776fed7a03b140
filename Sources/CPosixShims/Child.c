// A child process with limits. What runs between fork and exec makes system calls and nothing else: the parent has
// other threads, whose locks (malloc's among them) the child would find taken for ever.
#define _GNU_SOURCE
#include "CPosixShims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#endif

const int cposix_isolated_by_namespace = 1;
const int cposix_isolated_by_filter = 2;

// What the child says through the status pipe: once before it executes the program, and once more if it cannot.
struct word {
    int32_t isolation;
    int32_t error;
    // Into `steps`.
    int32_t step;
};

enum step { FORK, GROUP, DESCRIPTORS, FOLDER, LIMITS, PRIVILEGES, EXECUTE };

static const char *const steps[] = {
    "fork", "setpgid", "dup3", "chdir", "setrlimit", "prctl", "execve",
};

static _Noreturn void fail(int status, enum step step) {
    struct word word = {.error = errno, .step = step};
    while (write(status, &word, sizeof word) < 0 && errno == EINTR) {}
    _exit(127);
}

// Every signal as the system has it, and none blocked: the program must end by the first that it deserves.
static void reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Puts `wanted` at 0, 1 and 2 and the status pipe at 3, wherever they are now; closes everything above.
static int arrange_descriptors(const int wanted[3], int *status) {
    int moved[4];
    for (int index = 0; index < 3; index++) {
        if ((moved[index] = fcntl(wanted[index], F_DUPFD, 4)) < 0) return -1;
    }
    if ((moved[3] = fcntl(*status, F_DUPFD, 4)) < 0) return -1;
    for (int index = 0; index < 4; index++) {
        if (dup3(moved[index], index, index == 3 ? O_CLOEXEC : 0) < 0) return -1;
    }
    *status = 3;
    return close_range(4, ~0U, 0);
}

static int set_limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    return setrlimit(resource, &limit);
}

static int set_limits(const struct cposix_child *child) {
    if (set_limit(RLIMIT_CORE, 0, 0) < 0) return -1;
    if (child->address_space
        && set_limit(RLIMIT_AS, child->address_space, child->address_space) < 0) return -1;
    // A second later the hard limit kills; at once it would hide the signal that names the reason.
    if (child->cpu_seconds
        && set_limit(RLIMIT_CPU, child->cpu_seconds, child->cpu_seconds + 1) < 0) return -1;
    if (child->file_size && set_limit(RLIMIT_FSIZE, child->file_size, child->file_size) < 0)
        return -1;
    if (child->open_files && set_limit(RLIMIT_NOFILE, child->open_files, child->open_files) < 0)
        return -1;
    return 0;
}

// First to go when memory runs out, and last to run; neither can fail in a way that matters.
static void stand_back(int niceness) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        (void)!write(file, "1000", 4);
        close(file);
    }
    if (niceness > 0) setpriority(PRIO_PROCESS, 0, niceness);
}

// No sockets, no other way to get one, and no leaving the process group: EPERM for all of them.
static int install_filter(void) {
#ifdef THIS_MACHINE
#define REFUSE(call)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1),                                        \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        // Calls by another machine's numbers would pass unseen.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_MACHINE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
        // And so would those of the x32 ABI.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
        REFUSE(socket),
        REFUSE(io_uring_setup),
        REFUSE(setsid),
        REFUSE(setpgid),
        REFUSE(ptrace),
        REFUSE(process_vm_writev),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
#else
    return -1;
#endif
}

static _Noreturn void become(const struct cposix_child *child, pid_t parent, int status) {
    reset_signals();
    if (setpgid(0, 0) < 0) fail(status, GROUP);
    const int wanted[3] = {child->input, child->output, child->error};
    if (arrange_descriptors(wanted, &status) < 0) fail(status, DESCRIPTORS);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(status, PRIVILEGES);
    if (getppid() != parent) _exit(127);
    if (chdir(child->folder) < 0) fail(status, FOLDER);
    stand_back(child->niceness);
    struct word word = {0};
    // A user namespace is what lets a process without privileges have a network namespace; root needs none.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0
        || unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0)
        word.isolation |= cposix_isolated_by_namespace;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(status, PRIVILEGES);
    // Cleared by the change of namespace.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(status, PRIVILEGES);
    if (set_limits(child) < 0) fail(status, LIMITS);
    if (install_filter() == 0) word.isolation |= cposix_isolated_by_filter;
    while (write(status, &word, sizeof word) < 0 && errno == EINTR) {}
    execve(child->program, child->arguments, child->environment);
    fail(status, EXECUTE);
}

// Reads what the child has to say until exec closes the pipe; false where it died without a word.
static bool read_words(int status, struct word *isolation, struct word *failure) {
    bool any = false;
    struct word word;
    for (;;) {
        ssize_t count = read(status, &word, sizeof word);
        if (count < 0 && errno == EINTR) continue;
        if (count != sizeof word) return any;
        any = true;
        *(word.error ? failure : isolation) = word;
    }
}

pid_t cposix_start_child(const struct cposix_child *child, int *isolation, const char **step) {
    *step = steps[FORK];
    *isolation = 0;
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0) return -errno;
    // No handler of the parent's may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t process = fork();
    if (process == 0) become(child, parent, pipe[1]);
    int error = process < 0 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pipe[1]);
    struct word said = {0}, failure = {.error = ECHILD, .step = FORK};
    bool any = error == 0 && read_words(pipe[0], &said, &failure);
    close(pipe[0]);
    if (error < 0) return error;
    bool runs = any && failure.step == FORK;
    if (runs) {
        *isolation = said.isolation;
        return process;
    }
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {}
    *step = steps[failure.step];
    return -failure.error;
}

int cposix_has_ended(pid_t process) {
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
        if (errno != EINTR) return -errno;
    }
    return info.si_pid == process;
}

int cposix_kill_group(pid_t process) { return kill(-process, SIGKILL) < 0 ? -errno : 0; }
