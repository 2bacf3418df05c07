/* A process becomes a daemon, by one fork or by several while it has one thread, and starts threads there
   that open, write, flush and close streams. Whatever an allocator does around a fork, the child must be
   able to use the C library's streams on any thread. Says "ok"; a child that hangs is killed. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GENERATIONS = 3, SECONDS = 5 };

static void *use_streams(void *unused) {
    (void)unused;
    for (int i = 0; i < 50; i++) {
        FILE *file = fopen("/dev/null", "w");
        if (file == NULL)
            abort();
        fprintf(file, "%d\n", i);
        fflush(NULL);
        fclose(file);
    }
    return NULL;
}

static int daemon_of(int generations) {
    /* A block, so that the allocator has begun before the first fork. */
    void *volatile block = malloc(100);
    free(block);
    pid_t pid = fork();
    if (pid < 0)
        return 2;
    if (pid > 0) {
        int status;
        if (waitpid(pid, &status, 0) != pid)
            return 3;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
    }
    alarm(SECONDS);
    if (generations > 1)
        _exit(daemon_of(generations - 1));
    pthread_t thread;
    if (pthread_create(&thread, NULL, use_streams, NULL) != 0)
        _exit(5);
    pthread_join(thread, NULL);
    use_streams(NULL);
    _exit(0);
}

int main(void) {
    for (int generations = 1; generations <= GENERATIONS; generations++) {
        int code = daemon_of(generations);
        if (code != 0) {
            fprintf(stderr, "%d generations: %d\n", generations, code);
            return 1;
        }
    }
    /* And in the parent, which has forked. */
    pthread_t thread;
    if (pthread_create(&thread, NULL, use_streams, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    puts("ok");
    return 0;
}
