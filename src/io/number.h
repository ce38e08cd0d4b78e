/* Numbers as text, exact and free of the locale.
 *
 * Reading: up to 19 significant digits are gathered in an integer. When that integer is at most
 * 2^53 and the power of ten at most 22, both are exact doubles and one multiplication or division
 * rounds once, so the result is exact (W. D. Clinger, "How to read floating point numbers
 * accurately", 1990). All else goes to the C library's strtod as digits and an exponent without a
 * decimal point, which no locale changes.
 */
#ifndef NN_IO_NUMBER_H
#define NN_IO_NUMBER_H

#include <stddef.h>
#include <stdint.h>

typedef enum nn_number_result {
  NN_NUMBER_OK,
  NN_NUMBER_BAD,     /* not of the grammar */
  NN_NUMBER_TOO_BIG  /* of the grammar, but beyond the largest double */
} nn_number_result;

/* How decimals are written: the decimal mark, and the mark between thousands (0 = none). */
typedef struct nn_number_style {
  char decimal, thousands;
} nn_number_style;

/* The whole of text[0..n): sign?, digits with at most one decimal mark and at least one digit,
 * exponent?; or sign? inf or infinity in any case. Thousands marks stand before groups of exactly
 * three digits of the integer part. Too small a number is 0. */
nn_number_result nn_number_parse(double *out, const char *text, size_t n, nn_number_style style);

/* mantissa * 10^exponent where both are exact doubles; 0 where they are not. */
int nn_number_exact(double *out, uint64_t mantissa, int64_t exponent);

/* The decimal 0.d1d2d3... x 10^point: `digits` are n characters '0'..'9' (other characters are
 * skipped). NN_NUMBER_OK or NN_NUMBER_TOO_BIG. */
nn_number_result nn_number_from_digits(double *out, const char *digits, size_t n, int64_t point);

enum { NN_NUMBER_TEXT = 40 };
/* The shortest usual text that reads back to the same double, as Python's repr: "0.1", "1e-05",
 * "3.0", "NaN", "Infinity", "-Infinity". Returns its length. */
size_t nn_number_write(char out[NN_NUMBER_TEXT], double v);

#endif
