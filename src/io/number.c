#include "io/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A double lies between two neighbours whose midpoint has at most 767 digits; one more digit that
 * is not zero settles every longer text. */
enum { DIGITS_KEPT = 780, FAST_DIGITS = 19 };

static const double POWER[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static nn_number_result by_strtod(double *out, const char *digits, size_t n, int64_t point) {
  char text[DIGITS_KEPT + 32];
  size_t kept = 0;
  int64_t skipped = 0;
  int more = 0;
  for (size_t i = 0; i < n; i++) {
    if (!is_digit(digits[i])) continue;
    if (kept == 0 && digits[i] == '0') skipped++;
    else if (kept < DIGITS_KEPT) text[kept++] = digits[i];
    else more |= digits[i] != '0';
  }
  if (more) text[DIGITS_KEPT - 1] = '1';
  int64_t exponent = point - skipped - (int64_t)kept;
  if (kept == 0 || point - skipped < -400) {
    *out = 0;
    return NN_NUMBER_OK;
  }
  if (point - skipped > 400) return NN_NUMBER_TOO_BIG;
  snprintf(text + kept, sizeof text - kept, "e%lld", (long long)exponent);
  *out = strtod(text, NULL);
  return isinf(*out) ? NN_NUMBER_TOO_BIG : NN_NUMBER_OK;
}

int nn_number_exact(double *out, uint64_t mantissa, int64_t exponent) {
  if (mantissa >> 53 || exponent < -22 || exponent > 22) return 0;
  double m = (double)mantissa;
  *out = exponent < 0 ? m / POWER[-exponent] : m * POWER[exponent];
  return 1;
}

nn_number_result nn_number_from_digits(double *out, const char *digits, size_t n, int64_t point) {
  uint64_t mantissa = 0;
  size_t count = 0, seen = 0;
  for (size_t i = 0; i < n && count <= FAST_DIGITS; i++) {
    if (!is_digit(digits[i])) continue;
    seen++;
    if (mantissa == 0 && digits[i] == '0') continue;
    mantissa = mantissa * 10 + (uint64_t)(digits[i] - '0');
    count++;
  }
  if (count <= FAST_DIGITS && nn_number_exact(out, mantissa, point - (int64_t)seen))
    return NN_NUMBER_OK;
  return by_strtod(out, digits, n, point);
}

/* The power after e or E; clamped, as anything beyond 10^9 decides by itself. 0 = no digits. */
static const char *exponent_parse(const char *p, const char *end, int64_t *out) {
  int negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  if (p == end || !is_digit(*p)) return NULL;
  int64_t v = 0;
  for (; p < end && is_digit(*p); p++)
    if (v < 1000000000) v = v * 10 + (*p - '0');
  *out = negative ? -v : v;
  return p;
}

static int word_is(const char *p, size_t n, const char *lower) {
  if (n != strlen(lower)) return 0;
  for (size_t i = 0; i < n; i++)
    if ((p[i] | 0x20) != lower[i]) return 0;
  return 1;
}

/* Digits and thousands marks before the decimal mark; NULL when a group is not of three. */
static const char *integer_part(const char *p, const char *end, char mark, int64_t *digits) {
  int64_t group = 0, groups = 0, total = 0;
  for (; p < end; p++) {
    if (is_digit(*p)) {
      group++, total++;
    } else if (mark && *p == mark) {
      if (groups ? group != 3 : group < 1 || group > 3) return NULL;
      groups++, group = 0;
    } else {
      break;
    }
  }
  if (groups && group != 3) return NULL;
  *digits = total;
  return p;
}

static nn_number_result finish(double *out, const char *digits, const char *end, int64_t point,
                               int negative) {
  nn_number_result r = nn_number_from_digits(out, digits, (size_t)(end - digits), point);
  if (negative && r == NN_NUMBER_OK) *out = -*out;
  return r;
}

static nn_number_result parse_any(double *out, const char *p, const char *end, int negative,
                                  nn_number_style style) {
  size_t n = (size_t)(end - p);
  if (word_is(p, n, "inf") || word_is(p, n, "infinity")) {
    *out = negative ? -INFINITY : INFINITY;
    return NN_NUMBER_OK;
  }
  const char *digits = p;
  int64_t before = 0, after = 0, exponent = 0;
  p = integer_part(p, end, style.thousands, &before);
  if (!p) return NN_NUMBER_BAD;
  if (p < end && *p == style.decimal)
    for (p++; p < end && is_digit(*p); p++) after++;
  const char *digits_end = p;
  if (before + after == 0) return NN_NUMBER_BAD;
  if (p < end && (*p | 0x20) == 'e') {
    p = exponent_parse(p + 1, end, &exponent);
    if (!p) return NN_NUMBER_BAD;
  }
  return p == end ? finish(out, digits, digits_end, before + exponent, negative) : NN_NUMBER_BAD;
}

/* One pass for the usual short number: at most 18 digits, no thousands mark, no exponent. */
static int parse_short(double *out, const char *p, const char *end, int negative, char decimal) {
  uint64_t mantissa = 0;
  const char *point = NULL, *start = p;
  for (; p < end; p++) {
    unsigned d = (unsigned)(unsigned char)*p - '0';
    if (d < 10) mantissa = mantissa * 10 + d;
    else if (*p == decimal && !point) point = p;
    else return 0;
  }
  if (end - start - (point != NULL) < 1) return 0;
  if (!nn_number_exact(out, mantissa, point ? -(int64_t)(end - point - 1) : 0)) return 0;
  if (negative) *out = -*out;
  return 1;
}

nn_number_result nn_number_parse(double *out, const char *text, size_t n, nn_number_style style) {
  const char *p = text, *end = text + n;
  int negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  if (end - p <= 19 && parse_short(out, p, end, negative, style.decimal)) return NN_NUMBER_OK;
  return parse_any(out, p, end, negative, style);
}

/* The digits of v rounded to `count` of them, and its power of ten, without the locale's mark. */
static int digits_of(char *digits, double v, int count, int *power) {
  char text[64];
  snprintf(text, sizeof text, "%.*e", count - 1, v);
  int n = 0;
  const char *p = text;
  for (; *p && *p != 'e'; p++)
    if (is_digit(*p)) digits[n++] = *p;
  *power = *p ? (int)strtol(p + 1, NULL, 10) : 0;
  while (n > 1 && digits[n - 1] == '0') n--;
  return n;
}

static int reads_back(const char *digits, int n, int power, double v) {
  double back;
  return nn_number_from_digits(&back, digits, (size_t)n, power + 1) == NN_NUMBER_OK && back == v;
}

/* 15 digits always survive the way to a double and back, so fewer than 15 show as zeros cut off;
 * subnormal numbers carry fewer, and are searched from one digit. */
static int shortest_digits(char *digits, double v, int *power) {
  int n = 0;
  for (int count = v < 2.3e-308 ? 1 : 15; count <= 17; count++) {
    n = digits_of(digits, v, count, power);
    if (reads_back(digits, n, *power, v)) break;
  }
  return n;
}

static size_t write_plain(char *p, const char *digits, int n, int power) {
  char *start = p;
  if (power < 0) {
    *p++ = '0', *p++ = '.';
    for (int i = -1; i > power; i--) *p++ = '0';
  }
  for (int i = 0; i < n || (power >= 0 && i <= power); i++) {
    *p++ = i < n ? digits[i] : '0';
    if (i == power && i + 1 < n) *p++ = '.';
  }
  if (power >= 0 && n <= power + 1) *p++ = '.', *p++ = '0';
  *p = 0;
  return (size_t)(p - start);
}

size_t nn_number_write(char out[NN_NUMBER_TEXT], double v) {
  if (isnan(v)) return (size_t)snprintf(out, NN_NUMBER_TEXT, "NaN");
  if (isinf(v)) return (size_t)snprintf(out, NN_NUMBER_TEXT, v < 0 ? "-Infinity" : "Infinity");
  char *p = out;
  if (signbit(v)) *p++ = '-', v = -v;
  char digits[32] = "0";
  int power = 0, n = v == 0 ? 1 : shortest_digits(digits, v, &power);
  if (power >= -4 && power < 16) return (size_t)(p - out) + write_plain(p, digits, n, power);
  *p++ = digits[0];
  if (n > 1) *p++ = '.';
  for (int i = 1; i < n; i++) *p++ = digits[i];
  p += snprintf(p, 8, "e%c%02d", power < 0 ? '-' : '+', abs(power));
  return (size_t)(p - out);
}
