#include "io/checksum.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

uint32_t nn_checksum_add(uint32_t sum, const void *bytes, size_t n) {
  return (uint32_t)crc32_z(sum, bytes, n);
}

void nn_checksum_text(char out[NN_CHECKSUM_DIGITS + 1], uint32_t sum) {
  snprintf(out, NN_CHECKSUM_DIGITS + 1, "%08lx", (unsigned long)sum);
}

/* The digits of a file's bytes, those at `at` taken as zeros. */
static void digits_of(char out[NN_CHECKSUM_DIGITS + 1], const uint8_t *bytes, size_t n, size_t at) {
  size_t after = at + NN_CHECKSUM_DIGITS;
  uint32_t sum = nn_checksum_add(0, bytes, at);
  sum = nn_checksum_add(sum, NN_CHECKSUM_NONE, NN_CHECKSUM_DIGITS);
  nn_checksum_text(out, nn_checksum_add(sum, bytes + after, n - after));
}

void nn_checksum_set(uint8_t *bytes, size_t n, size_t at) {
  char text[NN_CHECKSUM_DIGITS + 1];
  digits_of(text, bytes, n, at);
  memcpy(bytes + at, text, NN_CHECKSUM_DIGITS);
}

int nn_checksum_holds(const uint8_t *bytes, size_t n, size_t at) {
  char text[NN_CHECKSUM_DIGITS + 1];
  if (n < NN_CHECKSUM_DIGITS || at > n - NN_CHECKSUM_DIGITS) return 0;
  digits_of(text, bytes, n, at);
  return memcmp(bytes + at, text, NN_CHECKSUM_DIGITS) == 0;
}
