/* SHA-256 (FIPS 180-4): the identity of a model's bytes. */
#ifndef NN_CORE_SHA256_H
#define NN_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct nn_sha256 {
  uint32_t state[8];
  uint8_t block[64];
  size_t fill;   /* bytes in `block` */
  uint64_t size; /* bytes so far */
} nn_sha256;

void nn_sha256_init(nn_sha256 *h);
void nn_sha256_add(nn_sha256 *h, const void *bytes, size_t n);
/* 64 hexadecimal digits and a zero. */
void nn_sha256_hex(nn_sha256 *h, char out[65]);

#endif
