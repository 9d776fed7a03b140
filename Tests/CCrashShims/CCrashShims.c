#define _GNU_SOURCE
#include "CCrashShims.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t crash_fork(void) { return fork(); }

void crash_kill(void) {
    kill(getpid(), SIGKILL);
    abort();
}

int crash_wait(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return -255;
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}
