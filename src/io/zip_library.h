/* libzip, looked for when an archive is first opened: it pulls in libraries of its own (TLS among
 * them) that would double the start-up of programs that never read one.
 */
#ifndef NN_IO_ZIP_LIBRARY_H
#define NN_IO_ZIP_LIBRARY_H

#include <zip.h>

#include "core/status.h"

#define ZIP_FUNCTIONS(F)                                                                        \
  F(zip_get_num_entries) F(zip_get_name) F(zip_stat_index) F(zip_strerror) F(zip_source_stat)   \
  F(zip_open_from_source) F(zip_source_free) F(zip_error_code_zip) F(zip_error_strerror)        \
  F(zip_error_fini) F(zip_error_init) F(zip_source_file_create) F(zip_source_buffer_create)     \
  F(zip_fopen_index) F(zip_fread) F(zip_fclose) F(zip_discard)

/* Its functions, by their own names. */
typedef struct zip_library {
#define ZIP_FUNCTION(name) __typeof__(name) *name;
  ZIP_FUNCTIONS(ZIP_FUNCTION)
#undef ZIP_FUNCTION
} zip_library;

/* NN_ERR_IO where libzip is not installed. It stays loaded. */
nn_status nn_zip_library_load(zip_library *lib, nn_error *e);

#endif
