-- nn.ops: the functions of keras.ops. A family is a file, read when one of its names is first used.

local err = require "nnlua.err"

local families = {
  shape = [[append array_split atleast broadcast_to concatenate depth_to_space dsplit dstack
    expand_dims extract_sequences flip fliplr flipud hsplit hstack meshgrid moveaxis ndim pad ravel
    rearrange repeat repeat_ reshape roll rot90 shape size space_to_depth split squeeze stack
    swapaxes tile transpose unstack vsplit vstack]],
  index = [[diag diagflat diagonal get_item in_top_k multi_hot one_hot scatter scatter_update
    searchsorted digitize segment_max segment_min segment_prod segment_sum select slice
    slice_ranges slice_update take take_along_axis tril triu unravel_index]],
  create = [[arange array bartlett blackman cast convert_to_numpy convert_to_tensor copy dtype empty
    empty_like eye full full_like geomspace hamming hanning identity is_tensor kaiser linspace
    logspace ones ones_like saturate_cast stop_gradient tri zeros zeros_like]],
  sort = [[argpartition argsort isin nonzero sort top_k unique]],
  stats = [[allclose bincount corrcoef correlate cross diff histogram kron median nanmedian
    nanpercentile nanquantile percentile quantile trapezoid vander]],
  decompose = [[cholesky cholesky_inverse det eig eigh inv logdet lstsq lu_factor matrix_rank pinv
    qr slogdet solve solve_triangular svd]],
  bits = [[bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor gcd i0 lcm left_shift nextafter right_shift view]],
  window = [[adaptive_average_pool adaptive_max_pool average_pool conv conv_transpose
    depthwise_conv max_pool separable_conv]],
  fourier = "fft fft2 ifft2 irfft rfft",
  control = [[associative_scan cond fori_loop map scan switch vectorize vectorized_map
    while_loop]],
}

local file_of = {}
for family, names in pairs(families) do
  for name in names:gmatch "%S+" do file_of[name] = family end
end

-- The families whose names the files themselves tell.
local others = {"elementwise", "activation", "reduce", "nn", "linalg"}

local ops = {}

local function load_others()
  for _, family in ipairs(others) do
    local found, module = pcall(require, "nnlua.ops." .. family)
    local absent = ("module 'nnlua.ops.%s' not found"):format(family)
    if not found and not tostring(module):find(absent, 1, true) then error(module, 0) end
    for name, fn in pairs(found and module or {}) do rawset(ops, name, rawget(ops, name) or fn) end
  end
  others = {}
end

local function load(_, name)
  local family = file_of[name]
  if family then
    local module = require("nnlua.ops." .. family)
    rawset(ops, name, err.check(module[name], "ops: %s lacks '%s'", family, name))
  else
    load_others()
  end
  return rawget(ops, name)
end

return setmetatable(ops, {__index = load})
