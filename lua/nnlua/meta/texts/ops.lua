-- Texts of nn.ops for the reference; see tools/docs/reference.lua. One line a function; `examples`
-- has those of the ones that are used most.

local lines = [[
abs|The absolute value.
adaptive_average_pool|Means of output_size cells of each channel.
adaptive_max_pool|Largest elements of output_size cells of each channel.
add|x1 + x2.
all|Whether all elements along the axis are not 0.
allclose|Whether |x1 - x2| <= atol + rtol * |x2| everywhere.
amax|As max.
amin|As min.
angle|The angle of a complex number: 0 or pi.
any|Whether an element along the axis is not 0.
append|x2 behind x1; without an axis both are flattened.
arange|Numbers at equal distances, without the end.
arccos|The angle whose cosine is x, from 0 to pi.
arccosh|The number whose hyperbolic cosine is x.
arcsin|The angle whose sine is x, from -pi/2 to pi/2.
arcsinh|The number whose hyperbolic sine is x.
arctan|The angle whose tangent is x.
arctan2|The angle of the point (x2, x1), from -pi to pi.
arctanh|The number whose hyperbolic tangent is x.
argmax|The position, from 1, of the largest element.
argmin|The position, from 1, of the smallest element.
argpartition|Positions that put the kth smallest element in its place.
argsort|Positions, from 1, that sort the elements.
array|A tensor of nested tables or numbers.
array_split|Parts of nearly equal size along the axis.
associative_scan|All prefixes of an associative function along the axis.
average|The mean, weighted where weights are given.
average_pool|Means of windows.
bartlett|The triangular window of x points.
batch_normalization|(x - mean) / sqrt(variance + epsilon) * scale + offset.
binary_crossentropy|-t * log(p) - (1 - t) * log(1 - p), element by element.
bincount|How often each whole number from 0 occurs.
bitwise_and|Bits that both have.
bitwise_invert|All bits the other way.
bitwise_left_shift|x moved left by y bits.
bitwise_not|All bits the other way.
bitwise_or|Bits that one of them has.
bitwise_right_shift|x moved right by y bits.
bitwise_xor|Bits that only one of them has.
blackman|The Blackman window of x points.
broadcast_to|x repeated to a shape.
cast|x in another dtype.
categorical_crossentropy|-sum(t * log(p)) along the axis.
cbrt|The cube root.
cdist|Euclidean distances between the rows of x1 and of x2.
ceil|The nearest whole number at or above x.
celu|max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1).
cholesky|The lower triangle L with L L^T = x.
cholesky_inverse|The inverse of A from its Cholesky factor.
clip|x held between two bounds.
concatenate|Tensors one after the other along the axis.
cond|true_fn() or false_fn(), by pred.
conj|The complex conjugate: x itself.
conjugate|The complex conjugate: x itself.
conv|Convolution (cross-correlation) with a kernel.
conv_transpose|The gradient of a convolution.
convert_to_numpy|A copy of the tensor.
convert_to_tensor|A tensor of nested tables or numbers.
copy|A new tensor with the same elements.
corrcoef|Correlations between the rows.
correlate|Cross-correlation of two vectors.
cos|The cosine of an angle in radians.
cosh|The hyperbolic cosine.
count_nonzero|How many elements are not 0.
cross|The cross product of vectors of 2 or 3 elements.
cumprod|Products of all elements up to each.
cumsum|Sums of all elements up to each.
deg2rad|Degrees to radians.
depth_to_space|Blocks of channels to rows and columns.
depthwise_conv|Convolution of each channel by itself.
det|The determinant.
diag|A vector as a diagonal, or the diagonal of a matrix.
diagflat|All elements as a diagonal.
diagonal|The diagonal of two axes.
diff|Differences of neighbours, n times.
digitize|The bin of each element, from 0.
divide|x1 / x2.
divide_no_nan|x1 / x2, and 0 where x2 is 0.
dot|The product of two tensors, summed over the last axis of x1 and the last but one of x2.
dot_product_attention|softmax(q . k / sqrt(d)) . v for each head.
dsplit|Parts along the third axis.
dstack|Tensors one behind the other along the third axis.
dtype|The name of the element type.
eig|Eigenvalues and eigenvectors.
eigh|Eigenvalues and eigenvectors of a symmetric matrix.
einsum|Products and sums by an equation such as "ij,jk->ik".
elu|x above 0, else alpha * (exp(x) - 1).
empty|A tensor of zeros.
empty_like|A tensor of zeros of x's shape.
equal|1 where x1 = x2.
erf|The error function.
erfc|1 - erf(x).
erfinv|The number whose error function is x.
exp|e to the power x.
exp2|2 to the power x.
expand_dims|A new axis of size 1.
expm1|exp(x) - 1, precise near 0.
extract_sequences|Windows of the last axis.
eye|1 on a diagonal, else 0.
fabs|The absolute value.
fft|The discrete Fourier transform of a pair (real, imaginary).
fft2|The two-dimensional Fourier transform of a pair.
flip|The elements in reverse order along the axis.
fliplr|Columns in reverse order.
flipud|Rows in reverse order.
floor|The nearest whole number at or below x.
floor_divide|The whole part, rounded down, of x1 / x2.
fmax|The larger one; a NaN loses.
fmin|The smaller one; a NaN loses.
fmod|The rest of x1 / x2, with the sign of x1.
fori_loop|body_fun(i, value) for i from lower up to, without, upper.
full|A tensor of one value.
full_like|A tensor of one value, of x's shape.
gcd|The greatest common divisor.
gelu|x times the normal distribution function of x.
geomspace|Numbers at equal ratios.
get_item|x[key].
glu|a * sigmoid(b) of two halves along the axis.
greater|1 where x1 > x2.
greater_equal|1 where x1 >= x2.
hamming|The Hamming window of x points.
hanning|The Hann window of x points.
hard_shrink|x where |x| is above the threshold, else 0.
hard_sigmoid|(x + 3) / 6, clipped to 0 and 1.
hard_silu|x * hard_sigmoid(x).
hard_tanh|x clipped to -1 and 1.
heaviside|0 below 0, 1 above, x2 at 0.
histogram|Counts and edges of bins.
hsplit|Parts along the second axis.
hstack|Tensors side by side.
hypot|sqrt(x1^2 + x2^2).
i0|The modified Bessel function of order 0.
identity|The identity matrix.
ifft2|The inverse of fft2.
imag|The imaginary part: 0.
in_top_k|Whether the target is among the k largest predictions.
inner|The inner product over the last axes.
inv|The inverse of a matrix.
irfft|The inverse of rfft.
is_tensor|Whether a value is a tensor.
isclose|1 where |x1 - x2| <= atol + rtol * |x2|.
isfinite|1 where x is finite.
isin|1 where an element of x1 occurs in x2.
isinf|1 where x is infinite.
isnan|1 where x is NaN.
isneginf|1 where x is minus infinity.
isposinf|1 where x is plus infinity.
isreal|1 everywhere: tensors are real.
kaiser|The Kaiser window of x points.
kron|The Kronecker product.
layer_normalization|(x - mean) / sqrt(variance + epsilon) * gamma + beta.
lcm|The least common multiple.
ldexp|x1 * 2^x2.
leaky_relu|x above 0, else negative_slope * x.
left_shift|x moved left by y bits.
less|1 where x1 < x2.
less_equal|1 where x1 <= x2.
linspace|Numbers at equal distances, with the end.
log|The natural logarithm.
log10|The logarithm to base 10.
log1p|log(1 + x), precise near 0.
log2|The logarithm to base 2.
log_sigmoid|log(1 / (1 + exp(-x))).
log_softmax|x - log(sum(exp(x))) along the axis.
logaddexp|log(exp(x1) + exp(x2)).
logaddexp2|log2(2^x1 + 2^x2).
logdet|The logarithm of a positive definite matrix's determinant.
logical_and|1 where both are not 0.
logical_not|1 where x is 0.
logical_or|1 where one is not 0.
logical_xor|1 where exactly one is not 0.
logspace|Powers of base at equal distances of the exponent.
logsumexp|log(sum(exp(x))), without overflow.
lstsq|The least-squares solution of a x = b.
lu_factor|The LU factors of a matrix and its pivots.
map|f on each slice along the first axis.
matmul|The matrix product; leading axes broadcast.
matrix_rank|The number of independent rows.
max|The largest element.
max_pool|Largest elements of windows.
maximum|The larger of two, element by element.
mean|The mean.
median|The middle element.
meshgrid|Grids of coordinates from vectors.
min|The smallest element.
minimum|The smaller of two, element by element.
mish|x * tanh(softplus(x)).
mod|The rest of x1 / x2, with the sign of x2.
moments|Mean and variance.
moveaxis|Axes moved to other places.
multi_hot|1 for each class id that occurs along the axis.
multiply|x1 * x2.
nan_to_num|x with numbers in place of NaN and infinities.
nanargmax|As argmax, without NaN.
nanargmin|As argmin, without NaN.
nancumprod|As cumprod, NaN counting 1.
nancumsum|As cumsum, NaN counting 0.
nanmax|As max, without NaN.
nanmean|As mean, without NaN.
nanmedian|As median, without NaN.
nanmin|As min, without NaN.
nanpercentile|As percentile, without NaN.
nanprod|As prod, without NaN.
nanquantile|As quantile, without NaN.
nanstd|As std, without NaN.
nansum|As sum, without NaN.
nanvar|As var, without NaN.
ndim|The number of axes.
negative|-x.
nonzero|Positions of the elements that are not 0, a tensor for each axis.
norm|The norm of vectors or matrices.
normalize|x divided by its norm along the axis.
not_equal|1 where x1 and x2 differ.
one_hot|Class ids as rows with a single 1.
ones|A tensor of ones.
ones_like|A tensor of ones of x's shape.
outer|Products of each element of x1 with each of x2.
pad|x with elements around it.
percentile|The value below which q percent of the elements are.
pinv|The pseudo-inverse of a matrix.
power|x1 to the power x2.
prod|The product of the elements.
psnr|The peak signal-to-noise ratio, in decibels.
ptp|The largest less the smallest element.
qr|An orthogonal and an upper triangular factor.
quantile|The value below which the share q of the elements is.
rad2deg|Radians to degrees.
ravel|All elements as a vector.
real|The real part: x itself.
rearrange|Axes split, merged and ordered by a pattern such as "b h w -> b (h w)".
reciprocal|1 / x.
relu|max(x, 0).
relu6|max(0, min(x, 6)).
repeat|Each element several times.
repeat_|As repeat, which is a word of Lua.
reshape|The same elements under other sizes.
rfft|The Fourier transform of real numbers, as a pair.
right_shift|x moved right by y bits.
rms_normalization|x / sqrt(mean(x^2) + epsilon) * scale.
roll|Elements moved along the axis; those that fall off come in again.
rot90|Turned by k times 90 degrees.
round|The nearest number with so many decimals; halves go to the even one.
rsqrt|1 / sqrt(x).
saturate_cast|x in another dtype, clipped to its range.
scan|A loop over slices that carries a value.
scatter|Values added into zeros at indices.
scatter_update|Elements replaced at indices.
searchsorted|Where values would go in a sorted vector.
segment_max|The largest element of each segment.
segment_min|The smallest element of each segment.
segment_prod|The product of each segment.
segment_sum|The sum of each segment.
select|From the first choice whose condition holds.
selu|1.0507 * (x above 0, else 1.6733 * (exp(x) - 1)).
separable_conv|A depthwise, then a pointwise convolution.
shape|The sizes, an array.
sigmoid|1 / (1 + exp(-x)).
sign|-1, 0 or 1.
signbit|1 where the sign bit is set.
silu|x * sigmoid(x).
sin|The sine of an angle in radians.
sinc|sin(pi x) / (pi x).
sinh|The hyperbolic sine.
size|The number of elements.
slice|A block that begins at indices (from 1) and has a shape.
slice_ranges|Inclusive ranges, one an axis.
slice_update|A block replaced.
slogdet|Sign and logarithm of the determinant.
soft_shrink|x moved towards 0 by the threshold.
softmax|exp(x) / sum(exp(x)) along the axis.
softplus|log(1 + exp(x)).
softsign|x / (1 + |x|).
solve|The x of a x = b.
solve_triangular|The x of a x = b for a triangular a.
sort|The elements in ascending order.
space_to_depth|Blocks of rows and columns to channels.
sparse_categorical_crossentropy|-log(p[t]) for class ids t.
sparse_plus|0 up to -1, (x + 1)^2 / 4 up to 1, then x.
sparse_sigmoid|(x + 1) / 2, clipped to 0 and 1.
sparsemax|The nearest point of the probability simplex.
split|Parts along the axis.
sqrt|The square root.
square|x^2.
squareplus|(x + sqrt(x^2 + b)) / 2.
squeeze|Without axes of size 1.
stack|Tensors as slices of a new axis.
std|The standard deviation (population).
stop_gradient|x, through which no gradient goes.
subtract|x1 - x2.
sum|The sum.
svd|Singular values and vectors.
swapaxes|Two axes exchanged.
switch|The branch of that number (from 1), called.
take|Slices at positions (from 1) along the axis.
take_along_axis|Elements at positions (from 1) along the axis.
tan|The tangent of an angle in radians.
tanh|The hyperbolic tangent.
tanh_shrink|x - tanh(x).
tensordot|The product summed over several axes.
threshold|x above the threshold, else default_value.
tile|The whole tensor repeated.
top_k|The k largest elements and their positions, from 1.
trace|The sum of the diagonal.
transpose|The axes reversed, or in another order.
trapezoid|The integral by trapezoids.
tri|1 at and below a diagonal.
tril|0 above a diagonal.
triu|0 below a diagonal.
true_divide|x1 / x2.
trunc|x without its fraction.
unique|The different elements, sorted.
unravel_index|Positions along each axis of flat positions.
unstack|The slices along the axis, a list.
vander|Powers of the elements as columns.
var|The variance (population).
vdot|The product of all elements, summed.
vectorize|A function of elements as one of tensors.
vectorized_map|f on each slice along the first axis.
vsplit|Parts along the first axis.
vstack|Tensors one below the other.
where|x1 where the condition holds, else x2.
while_loop|body(...) as long as cond(...) holds.
zeros|A tensor of zeros.
zeros_like|A tensor of zeros of x's shape.
]]

local examples = {
  matmul = "print(nn.ops.matmul(nn.tensor{{1, 2}}, nn.tensor{{3}, {4}})) --> [[11.]]",
  sum = "print(nn.ops.sum(nn.tensor{{1, 2}, {3, 4}}, {axis = 1})) --> [4. 6.]",
  mean = "print(nn.ops.mean(nn.tensor{1, 3})) --> 2.0",
  max = "print(nn.ops.max(nn.tensor{1, 3})) --> 3.0",
  min = "print(nn.ops.min(nn.tensor{1, 3})) --> 1.0",
  std = "print(nn.ops.std(nn.tensor{1, 3})) --> 1.0",
  var = "print(nn.ops.var(nn.tensor{1, 3})) --> 1.0",
  prod = "print(nn.ops.prod(nn.tensor{2, 3})) --> 6.0",
  cumsum = "print(nn.ops.cumsum(nn.tensor{1, 2, 3})) --> [1. 3. 6.]",
  argmax = "print(nn.ops.argmax(nn.tensor{1, 3, 2})) --> 2",
  argsort = "print(nn.ops.argsort(nn.tensor{3, 1, 2})) --> [2 3 1]",
  sort = "print(nn.ops.sort(nn.tensor{3, 1, 2})) --> [1. 2. 3.]",
  exp = "print(nn.ops.exp(nn.tensor{0})) --> [1.]",
  log = "print(nn.ops.log(nn.tensor{1})) --> [0.]",
  sqrt = "print(nn.ops.sqrt(nn.tensor{4})) --> [2.]",
  clip = "print(nn.ops.clip(nn.tensor{-1, 5}, 0, 2)) --> [0. 2.]",
  where = "print(nn.ops.where(nn.ops.greater(nn.tensor{-1, 2}, 0), 1, 0)) --> [0. 1.]",
  concatenate = "print(nn.ops.concatenate({nn.tensor{1}, nn.tensor{2}})) --> [1. 2.]",
  stack = "print(nn.ops.stack({nn.tensor{1}, nn.tensor{2}})) --> [[1.] [2.]]",
  split = "print(nn.ops.split(nn.tensor{1, 2, 3, 4}, 2)[2]) --> [3. 4.]",
  reshape = "print(nn.ops.reshape(nn.tensor{1, 2}, {2, 1})) --> [[1.] [2.]]",
  transpose = "print(nn.ops.transpose(nn.tensor{{1, 2}})) --> [[1.] [2.]]",
  expand_dims = "print(nn.ops.expand_dims(nn.tensor{1, 2}, 1)) --> [[1. 2.]]",
  squeeze = "print(nn.ops.squeeze(nn.tensor{{1, 2}})) --> [1. 2.]",
  take = "print(nn.ops.take(nn.tensor{5, 6, 7}, {3, 1})) --> [7. 5.]",
  one_hot = "print(nn.ops.one_hot(nn.tensor({1}, \"int32\"), 3)) --> [[0. 1. 0.]]",
  einsum = "print(nn.ops.einsum(\"i,i->\", nn.tensor{1, 2}, nn.tensor{3, 4})) --> 11.0",
  dot = "print(nn.ops.dot(nn.tensor{1, 2}, nn.tensor{3, 4})) --> 11.0",
  tile = "print(nn.ops.tile(nn.tensor{1, 2}, {2})) --> [1. 2. 1. 2.]",
  flip = "print(nn.ops.flip(nn.tensor{1, 2})) --> [2. 1.]",
  pad = "print(nn.ops.pad(nn.tensor{1}, {{1, 1}})) --> [0. 1. 0.]",
  top_k = "print(nn.ops.top_k(nn.tensor{1, 3, 2}, 1)) --> [3.] [2]",
  inv = "print(nn.ops.inv(nn.tensor{{2}})) --> [[0.5]]",
  solve = "print(nn.ops.solve(nn.tensor{{2}}, nn.tensor{{4}})) --> [[2.]]",
  logsumexp = "print(nn.ops.logsumexp(nn.tensor{200})) --> 200.0",
  cast = "print(nn.ops.cast(nn.tensor{1.5}, \"int32\")) --> [1]",
  equal = "print(nn.ops.sum(nn.ops.equal(nn.tensor{1, 2}, nn.tensor{1, 3}))) --> 1",
  softmax = "print(nn.ops.softmax(nn.tensor{{1, 1}})) --> [[0.5 0.5]]",
}

local entries = {}
for name, text in lines:gmatch "([%w_]+)|([^\n]*)" do
  entries[name] = {text, example = examples[name]}
end

return {
  intro = [[Functions of tensors with the names of keras.ops; each is a method too, `x:sum()`. Float
functions are differentiable, run at once on tensors, and record while a layer or loss is traced.]],
  source = "Keras 3.15.1, keras.ops.%s",
  returns = "A tensor unless the text says otherwise.",
  shapes = "Operands broadcast as in NumPy; reductions drop their axes unless keepdims is given.",
  errors = "Shapes that do not fit, an axis that is not there; the message names the function.",
  entries = entries,
}
