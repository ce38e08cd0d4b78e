/* From categories to numbers: hashing into bins, and positions in a vocabulary of integers. Inputs
 * of any dtype are cut to integers; strings never come here, the library's Lua half hashes them.
 *
 * hash_bins: (x) -> int32. Bin of the decimal text of x.
 *   attrs.i = {bins, keyed, k0, k1, masked, mask}: keyed 0 FarmHash, 1 SipHash-2-4 with the key
 *   (k0, k1); masked 1: the number `mask` goes to bin 0, all others to 1 .. bins - 1.
 * hash_cross: (x, y, ...) of one shape -> int32. Bin of the joined fingerprints, as TensorFlow's
 *   sparse cross does it: integers stand for themselves. attrs.i = {bins}.
 * vocabulary_index: (x, keys, places) -> int32. keys is sorted; x = keys[k] gives places[k], a
 *   number that is no key one of the `oov` slots behind `first`: its remainder (by floor), or with
 *   method 1 FarmHash, 2 SipHash of its text. attrs.i = {oov, first, method, k0, k1}; oov 0 makes
 *   unknown numbers a fault.
 */
#include <stdio.h>

#include "core/hash.h"
#include "ops/index.h"
#include "ops/ops.h"

enum { BY_REMAINDER = 0, BY_FINGERPRINT = 1, BY_SIPHASH = 2 };

static uint64_t number_hash(int64_t v, int keyed, uint64_t k0, uint64_t k1) {
  char text[24];
  int n = snprintf(text, sizeof text, "%lld", (long long)v);
  return keyed ? nn_siphash24(text, (size_t)n, k0, k1) : nn_fingerprint64(text, (size_t)n);
}

/* --- hash_bins ----------------------------------------------------------------------------- */

static nn_status bins_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)n_in;
  int64_t least = a->i[4] ? 2 : 1;
  if (a->i[0] < least || a->i[0] > INT32_MAX)
    return nn_fail(e, NN_ERR_ARGUMENT, "hash_bins: %lld bins, expected %lld or more",
                   (long long)a->i[0], (long long)least);
  *out = *in[0], out->dtype = NN_I32;
  return NN_OK;
}

static void bins_forward(nn_call *c) {
  const int64_t *i = c->attrs->i;
  int64_t n = nn_shape_size(c->in_shape[0]);
  int32_t *y = c->out[0];
  uint64_t bins = (uint64_t)(i[4] ? i[0] - 1 : i[0]);
  for (int64_t k = 0; k < n; k++) {
    int64_t v = nn_index_read(c->in[0], c->in_shape[0]->dtype, k);
    if (i[4] && v == i[5]) {
      y[k] = 0;
      continue;
    }
    uint64_t h = number_hash(v, i[1] != 0, (uint64_t)i[2], (uint64_t)i[3]);
    y[k] = (int32_t)(h % bins) + (i[4] != 0);
  }
}

const nn_op nn_op_hash_bins = {.name = "hash_bins", .n_in = 1, .n_out = 1, .shape = bins_shape,
                               .forward = bins_forward};

/* --- hash_cross ---------------------------------------------------------------------------- */

static nn_status cross_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  if (n_in < 1) return nn_fail(e, NN_ERR_ARGUMENT, "hash_cross: no inputs");
  if (a->i[0] < 1 || a->i[0] > INT32_MAX)
    return nn_fail(e, NN_ERR_ARGUMENT, "hash_cross: %lld bins, expected 1 or more",
                   (long long)a->i[0]);
  for (int k = 1; k < n_in; k++) {
    nn_shape s = *in[k];
    s.dtype = in[0]->dtype;
    if (!nn_shape_same(&s, in[0]))
      return nn_fail(e, NN_ERR_SHAPE, "hash_cross: input %d has another shape than input 1", k + 1);
  }
  *out = *in[0], out->dtype = NN_I32;
  return NN_OK;
}

static void cross_forward(nn_call *c) {
  int64_t n = nn_shape_size(c->in_shape[0]);
  int32_t *y = c->out[0];
  for (int64_t k = 0; k < n; k++) {
    uint64_t h = NN_CROSS_KEY;
    for (int i = 0; i < c->n_in; i++)
      h = nn_fingerprint_join(h, (uint64_t)nn_index_read(c->in[i], c->in_shape[i]->dtype, k));
    y[k] = (int32_t)(h % (uint64_t)c->attrs->i[0]);
  }
}

const nn_op nn_op_hash_cross = {.name = "hash_cross", .n_in = -1, .n_out = 1, .shape = cross_shape,
                                .forward = cross_forward};

/* --- vocabulary_index ---------------------------------------------------------------------- */

static nn_status index_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in;
  if (in[1]->ndim != 1 || in[1]->dtype != NN_I32 || !nn_shape_same(in[1], in[2]))
    return nn_fail(e, NN_ERR_SHAPE, "vocabulary_index: keys and places are int32 of one length");
  if (a->i[0] < 0)
    return nn_fail(e, NN_ERR_ARGUMENT, "vocabulary_index: %lld slots for unknown numbers",
                   (long long)a->i[0]);
  *out = *in[0], out->dtype = NN_I32;
  return NN_OK;
}

static int64_t find(const int32_t *keys, int64_t n, int64_t v) {
  int64_t lo = 0, hi = n;
  while (lo < hi) {
    int64_t mid = (lo + hi) / 2;
    if (keys[mid] < v) lo = mid + 1;
    else hi = mid;
  }
  return lo < n && keys[lo] == v ? lo : -1;
}

static int32_t unknown(nn_call *c, int64_t v) {
  const int64_t *i = c->attrs->i;
  if (i[0] == 0) {
    nn_fault(c->run, "IntegerLookup: %lld is not in the vocabulary", (long long)v);
    return 0;
  }
  int64_t slot = v % i[0];
  if (slot < 0) slot += i[0];
  if (i[2] != BY_REMAINDER)
    slot = (int64_t)(number_hash(v, i[2] == BY_SIPHASH, (uint64_t)i[3], (uint64_t)i[4]) %
                     (uint64_t)i[0]);
  return (int32_t)(i[1] + slot);
}

static void index_forward(nn_call *c) {
  int64_t n = nn_shape_size(c->in_shape[0]), words = c->in_shape[1]->dim[0];
  const int32_t *keys = c->in[1], *places = c->in[2];
  int32_t *y = c->out[0];
  for (int64_t k = 0; k < n; k++) {
    int64_t v = nn_index_read(c->in[0], c->in_shape[0]->dtype, k), at = find(keys, words, v);
    y[k] = at >= 0 ? places[at] : unknown(c, v);
  }
}

const nn_op nn_op_vocabulary_index = {.name = "vocabulary_index", .n_in = 3, .n_out = 1,
                                      .shape = index_shape, .forward = index_forward};
