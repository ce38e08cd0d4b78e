/* Words are read little-endian whatever the machine; lengths pick one of four mixing schemes, as
 * short strings deserve fewer multiplications. */
#include "core/hash.h"

static const uint64_t k0 = 0xc3a5c85c97cb3127u, k1 = 0xb492b66fbe98f273u, k2 = 0x9ae16a3b2f90404fu;

static uint64_t read_bytes(const uint8_t *p, int n) {
  uint64_t v = 0;
  for (int i = 0; i < n; i++) v |= (uint64_t)p[i] << (8 * i);
  return v;
}

static uint64_t word(const uint8_t *p) { return read_bytes(p, 8); }

static uint64_t rotr(uint64_t v, int by) { return (v >> by) | (v << (64 - by)); }

static uint64_t rotl(uint64_t v, int by) { return (v << by) | (v >> (64 - by)); }

static uint64_t fold(uint64_t v) { return v ^ (v >> 47); }

/* Two words to one, with a multiplier that knows the length. */
static uint64_t pair(uint64_t u, uint64_t v, uint64_t mul) {
  uint64_t a = fold((u ^ v) * mul);
  return fold((v ^ a) * mul) * mul;
}

static uint64_t up_to_16(const uint8_t *s, size_t n) {
  uint64_t mul = k2 + n * 2;
  if (n >= 8) {
    uint64_t a = word(s) + k2, b = word(s + n - 8);
    uint64_t c = rotr(b, 37) * mul + a, d = (rotr(a, 25) + b) * mul;
    return pair(c, d, mul);
  }
  if (n >= 4) return pair(n + (read_bytes(s, 4) << 3), read_bytes(s + n - 4, 4), mul);
  if (n == 0) return k2;
  uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8);
  uint32_t z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
  return fold(y * k2 ^ z * k0) * k2;
}

static uint64_t up_to_32(const uint8_t *s, size_t n) {
  uint64_t mul = k2 + n * 2;
  uint64_t a = word(s) * k1, b = word(s + 8);
  uint64_t c = word(s + n - 8) * mul, d = word(s + n - 16) * k2;
  return pair(rotr(a + b, 43) + rotr(c, 30) + d, a + rotr(b + k2, 18) + c, mul);
}

static uint64_t up_to_64(const uint8_t *s, size_t n) {
  uint64_t mul = k2 + n * 2;
  uint64_t a = word(s) * k2, b = word(s + 8);
  uint64_t c = word(s + n - 8) * mul, d = word(s + n - 16) * k2;
  uint64_t y = rotr(a + b, 43) + rotr(c, 30) + d;
  uint64_t z = pair(y, a + rotr(b + k2, 18) + c, mul);
  uint64_t e = word(s + 16) * mul, f = word(s + 24);
  uint64_t g = (y + word(s + n - 32)) * mul, h = (z + word(s + n - 24)) * mul;
  return pair(rotr(e + f, 43) + rotr(g, 30) + h, e + rotr(f + a, 18) + g, mul);
}

typedef struct duo {
  uint64_t a, b;
} duo;

/* 32 bytes and two seeds to two words. */
static duo stir(const uint8_t *s, uint64_t a, uint64_t b) {
  uint64_t w = word(s), z = word(s + 24);
  a += w;
  b = rotr(b + a + z, 21);
  uint64_t c = a;
  a += word(s + 8);
  a += word(s + 16);
  b += rotr(a, 44);
  return (duo){a + z, b + c};
}

typedef struct state {
  uint64_t x, y, z;
  duo v, w;
} state;

static void turn(state *h, const uint8_t *s, uint64_t mul, uint64_t nine) {
  h->x = rotr(h->x + h->y + h->v.a + word(s + 8), 37) * mul;
  h->y = rotr(h->y + h->v.b + word(s + 48), 42) * mul;
  h->x ^= h->w.b * nine;
  h->y += h->v.a * nine + word(s + 40);
  h->z = rotr(h->z + h->w.a, 33) * mul;
  h->v = stir(s, h->v.b * mul, h->x + h->w.a);
  h->w = stir(s + 32, h->z + h->w.b, h->y + word(s + 16));
  uint64_t z = h->z;
  h->z = h->x, h->x = z;
}

static uint64_t any_length(const uint8_t *s, size_t n) {
  const uint64_t seed = 81;
  const uint8_t *end = s + (n - 1) / 64 * 64, *last = end + ((n - 1) & 63) - 63;
  state h = {.x = seed * k2 + word(s), .y = seed * k1 + 113};
  h.z = fold(h.y * k2 + 113) * k2;
  for (; s != end; s += 64) turn(&h, s, k1, 1);
  uint64_t mul = k1 + ((h.z & 0xff) << 1);
  h.w.a += (n - 1) & 63;
  h.v.a += h.w.a;
  h.w.a += h.v.a;
  turn(&h, last, mul, 9);
  return pair(pair(h.v.a, h.w.a, mul) + fold(h.y) * k0 + h.z, pair(h.v.b, h.w.b, mul) + h.x, mul);
}

uint64_t nn_fingerprint64(const void *bytes, size_t n) {
  const uint8_t *s = bytes;
  if (n <= 16) return up_to_16(s, n);
  if (n <= 32) return up_to_32(s, n);
  if (n <= 64) return up_to_64(s, n);
  return any_length(s, n);
}

uint64_t nn_fingerprint_join(uint64_t a, uint64_t b) {
  const uint64_t mul = 0xc6a4a7935bd1e995u;
  uint64_t v = ((a ^ mul) ^ (fold(b * mul) * mul)) * mul;
  return fold(fold(v) * mul);
}

static void rounds(uint64_t v[4], int n) {
  while (n-- > 0) {
    v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
    v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
  }
}

static void absorb(uint64_t v[4], uint64_t m) {
  v[3] ^= m;
  rounds(v, 2);
  v[0] ^= m;
}

uint64_t nn_siphash24(const void *bytes, size_t n, uint64_t key0, uint64_t key1) {
  const uint8_t *s = bytes;
  uint64_t v[4] = {key0 ^ 0x736f6d6570736575u, key1 ^ 0x646f72616e646f6du,
                   key0 ^ 0x6c7967656e657261u, key1 ^ 0x7465646279746573u};
  size_t at = 0;
  for (; at + 8 <= n; at += 8) absorb(v, word(s + at));
  absorb(v, read_bytes(s + at, (int)(n - at)) | (uint64_t)(n & 0xff) << 56);
  v[2] ^= 0xff;
  rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
