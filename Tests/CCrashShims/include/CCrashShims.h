// What Swift's Glibc hides: a fork, and the end of a process as its kernel makes it.
#pragma once

#include <sys/types.h>

// fork(2); for a process of one thread.
pid_t crash_fork(void);
// Ends this process by SIGKILL: no handler, no clean-up, nothing flushed.
void crash_kill(void) __attribute__((noreturn));
// Waits for a child; its signal where one ended it, else minus its exit code.
int crash_wait(pid_t process);
