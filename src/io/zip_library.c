#include "io/zip_library.h"

#include <dlfcn.h>
#include <string.h>

static void *open_library(void) {
  static const char *const names[] = {"libzip.so.5", "libzip.so.4", "libzip.so", "libzip.5.dylib",
                                      "libzip.dylib"};
  void *lib = NULL;
  for (size_t i = 0; !lib && i < sizeof names / sizeof *names; i++)
    lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  return lib;
}

/* dlsym gives a data pointer; C has no cast from it to a function. */
static int find(void *lib, const char *name, void *function, size_t size) {
  void *p = dlsym(lib, name);
  memcpy(function, &p, size);
  return p != NULL;
}

nn_status nn_zip_library_load(zip_library *lib, nn_error *e) {
  void *handle = open_library();
  if (!handle) return nn_fail(e, NN_ERR_IO, "zip: libzip is not installed");
  int found = 1;
#define ZIP_FUNCTION(name) found &= find(handle, #name, &lib->name, sizeof lib->name);
  ZIP_FUNCTIONS(ZIP_FUNCTION)
#undef ZIP_FUNCTION
  dlclose(handle); /* stays loaded: RTLD_NODELETE */
  return found ? NN_OK : nn_fail(e, NN_ERR_IO, "zip: this libzip is too old");
}
