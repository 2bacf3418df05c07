/* Loads and unloads a library that allocates in its constructor, from the main thread and from
   others. argv[1]: the library. */
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>

static void *load(void *path) {
    for (int at = 0; at < 20; at++) {
        void *library = dlopen(path, at % 2 == 0 ? RTLD_NOW : RTLD_LAZY);
        CHECK(library != NULL);
        unsigned char **block = dlsym(library, "plugin_block");
        CHECK(block != NULL && (*block)[332] == 333 % 251 + 1);
        CHECK(dlopen("/nowhere/libnothing.so", RTLD_NOW) == NULL);
        CHECK(dlerror() != NULL);
        CHECK(dlclose(library) == 0);
    }
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    load(argv[1]);
    pthread_t threads[4];
    for (int at = 0; at < 4; at++) CHECK(pthread_create(&threads[at], NULL, load, argv[1]) == 0);
    for (int at = 0; at < 4; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    say_ok();
    return 0;
}
