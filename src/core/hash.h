/* Hashes of byte strings that files and data sets of other libraries agree on.
 *
 * nn_fingerprint64 is FarmHash's Fingerprint64 (G. Pike, 2014; the values of farmhashna::Hash64),
 * nn_siphash24 is SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012) with a 128-bit key. Both are
 * the same on every machine.
 */
#ifndef NN_CORE_HASH_H
#define NN_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t nn_fingerprint64(const void *bytes, size_t n);
uint64_t nn_siphash24(const void *bytes, size_t n, uint64_t k0, uint64_t k1);

/* The fingerprint of two fingerprints in that order; crossed columns start from NN_CROSS_KEY. */
uint64_t nn_fingerprint_join(uint64_t a, uint64_t b);

#define NN_CROSS_KEY UINT64_C(0xDECAFCAFFE)

#endif
