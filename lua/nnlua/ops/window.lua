-- Convolutions and pooling as functions: the layers' work on kernels that are given.

local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local function float(x) return common.cast(common.tensor(x), "float32") end

-- A built layer of that rank, without weights of its own. The name is given, so that no automatic
-- name is used up.
local function layer(op, kind, rank, config)
  err.check(rank >= 1 and rank <= 3, "%s: inputs have %d dimensions, expected 3 to 5", op, rank + 2)
  config.name = op
  local made = require("nnlua.layers")[("%s%dD"):format(kind, rank)](config)
  made.built = true
  return made
end

local function transposed_name(rank) return ("Conv%dDTranspose"):format(rank) end

local function sizes_of(kernel, rank)
  return table.move(kernel.shape, 1, rank, 1, {})
end

local function channels(x, data_format)
  return x.shape[data_format == "channels_first" and 2 or x.ndim]
end

local function weights(made, x, data_format, fields)
  rawset(made, "channels", channels(x, data_format))
  for name, kernel in pairs(fields) do rawset(made, name, {tensor = kernel}) end
  return made:call(x, {})
end

-- What the layers of kernels are asked for alike. Fixed initializers draw no seeds.
local function convolution(kernel, rank, strides, padding, data_format, dilation)
  return {kernel_size = sizes_of(kernel, rank), strides = strides, padding = padding,
    data_format = data_format, dilation_rate = dilation, use_bias = false}
end

M.conv = args.fn("conv", [[inputs, kernel, strides=1, padding="valid", data_format=None,
  dilation_rate=1]], function(x, kernel, strides, padding, data_format, dilation)
  x, kernel = float(x), float(kernel)
  local rank, s = x.ndim - 2, kernel.shape
  err.check(#s == rank + 2, "conv: the kernel has %d dimensions, expected %d", #s, rank + 2)
  local config = convolution(kernel, rank, strides, padding, data_format, dilation)
  local n = channels(x, data_format)
  err.check(n % s[rank + 1] == 0, "conv: %d channels do not divide into groups of %d", n,
    s[rank + 1])
  config.filters, config.groups = s[rank + 2], n // s[rank + 1]
  config.kernel_initializer = "zeros"
  return weights(layer("conv", "Conv", rank, config), x, data_format, {kernel = kernel})
end)

M.conv_transpose = args.fn("conv_transpose", [[inputs, kernel, strides=1, padding="valid",
  output_padding=None, data_format=None, dilation_rate=1]],
  function(x, kernel, strides, padding, output_padding, data_format, dilation)
    x, kernel = float(x), float(kernel)
    local rank = x.ndim - 2
    err.check(rank >= 1 and rank <= 3, "conv_transpose: inputs have %d dimensions, expected 3 to 5",
      x.ndim)
    local config = convolution(kernel, rank, strides, padding, data_format, dilation)
    config.filters, config.output_padding = kernel.shape[rank + 1], output_padding
    config.kernel_initializer, config.name = "zeros", "conv_transpose"
    local made = require("nnlua.layers")[transposed_name(rank)](config)
    return weights(made, x, data_format, {kernel = kernel})
  end)

M.depthwise_conv = args.fn("depthwise_conv", [[inputs, kernel, strides=1, padding="valid",
  data_format=None, dilation_rate=1]], function(x, kernel, strides, padding, data_format, dilation)
  x, kernel = float(x), float(kernel)
  local rank = x.ndim - 2
  local config = convolution(kernel, rank, strides, padding, data_format, dilation)
  config.depth_multiplier, config.depthwise_initializer = kernel.shape[rank + 2], "zeros"
  return weights(layer("depthwise_conv", "DepthwiseConv", rank, config), x, data_format,
    {kernel = kernel})
end)

M.separable_conv = args.fn("separable_conv", [[inputs, depthwise_kernel, pointwise_kernel,
  strides=1, padding="valid", data_format=None, dilation_rate=1]],
  function(x, depthwise, pointwise, strides, padding, data_format, dilation)
    local y = M.depthwise_conv(x, depthwise, strides, padding, data_format, dilation)
    return M.conv(y, pointwise, 1, "valid", data_format, 1)
  end)

for name, kind in pairs {average_pool = "AveragePooling", max_pool = "MaxPooling"} do
  M[name] = args.fn(name, 'inputs, pool_size, strides=None, padding="valid", data_format=None',
    function(x, pool_size, strides, padding, data_format)
      x = float(x)
      return layer(name, kind, x.ndim - 2, {pool_size = pool_size, strides = strides,
        padding = padding, data_format = data_format}):call(x, {})
    end)
end

for name, kind in pairs {adaptive_average_pool = "AdaptiveAveragePooling",
  adaptive_max_pool = "AdaptiveMaxPooling"} do
  M[name] = args.fn(name, "inputs, output_size, data_format=None",
    function(x, output_size, data_format)
      x = float(x)
      return layer(name, kind, x.ndim - 2, {output_size, data_format = data_format}):call(x, {})
    end)
end

return M
