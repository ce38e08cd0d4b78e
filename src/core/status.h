/* Status codes and the error record that every fallible core function fills.
 *
 * A function that can fail returns nn_status and takes `nn_error *e` last; kernels cannot fail.
 * `nn_fail` formats the text (where, wanted, got) and returns the code, so a failure is one line:
 *     return nn_fail(e, NN_ERR_SHAPE, "matmul: (%d, %d) x (%d, %d)", ...);
 */
#ifndef NN_CORE_STATUS_H
#define NN_CORE_STATUS_H

typedef enum nn_status {
  NN_OK = 0,
  NN_ERR_ARGUMENT, /* a value outside its range */
  NN_ERR_SHAPE,    /* shapes or dtypes that do not fit */
  NN_ERR_MEMORY,   /* the allocator said no, or a cap was reached */
  NN_ERR_IO,       /* the operating system said no */
  NN_ERR_FORMAT,   /* a file's bytes are not what its format says */
  NN_ERR_LIMIT,    /* a declared limit (size, depth, time) was passed */
  NN_ERR_DATA,     /* data out of range, found while running */
  NN_ERR_STOPPED   /* interrupted from outside */
} nn_status;

typedef struct nn_error {
  nn_status code;
  char text[512];
} nn_error;

#if defined(__GNUC__)
#define NN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define NN_PRINTF(fmt, args)
#endif

/* Fills `e` (may be NULL) with a printf-style text and returns `code`. */
nn_status nn_fail(nn_error *e, nn_status code, const char *fmt, ...) NN_PRINTF(3, 4);

#ifdef __clang_analyzer__ /* the analyser sees one file at a time: tell it what comes back */
#define nn_fail(e, code, ...) (nn_fail(e, code, __VA_ARGS__), (code))
#endif

/* Puts "prefix: " before the text of an error that is already set. Returns e->code. */
nn_status nn_fail_in(nn_error *e, const char *fmt, ...) NN_PRINTF(2, 3);

#endif
