/* The checksum of files whose format has none: CRC-32 over all their bytes, as eight hexadecimal
 * digits that stand in the file itself and count as zeros ("00000000") in the sum. HDF5 files hold
 * it as the attribute `nnlua_crc32` of the root, safetensors in the metadata under that name. */
#ifndef NN_IO_CHECKSUM_H
#define NN_IO_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define NN_CHECKSUM_NAME "nnlua_crc32"
#define NN_CHECKSUM_NONE "00000000" /* what stands there until the sum is known */
/* What is said of a file whose sum is another. */
#define NN_CHECKSUM_WRONG                                                           \
  "the file is damaged: its checksum (" NN_CHECKSUM_NAME ") is wrong"
enum { NN_CHECKSUM_DIGITS = 8 };

/* Goes on with a sum, which begins with 0. */
uint32_t nn_checksum_add(uint32_t sum, const void *bytes, size_t n);
void nn_checksum_text(char out[NN_CHECKSUM_DIGITS + 1], uint32_t sum);

/* Sets the digits at `at` in the bytes of a file. */
void nn_checksum_set(uint8_t *bytes, size_t n, size_t at);
/* 1 when the digits at `at` are those of the bytes. */
int nn_checksum_holds(const uint8_t *bytes, size_t n, size_t at);

#endif
