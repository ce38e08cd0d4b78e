-- Convolutions over one to three axes: Conv1D/2D/3D, their transposes, depthwise and separable
-- ones. A kernel slides without being flipped.

local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local window = require "nnlua.layers.window"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local M = {}

-- nn_act codes of the op; other activations follow as an op of their own.
local fused = {linear = 0, relu = 1, sigmoid = 2, tanh = 3}

local function check_count(self, name, value)
  if math.tointeger(value) == nil or value < 1 then
    err.raise("%s: %s is %s, expected an integer above 0", self.class_name, name, err.show(value))
  end
  return math.tointeger(value)
end

local function keep_parts(self, a, names)
  for _, part in ipairs(names) do
    self[part .. "_initializer"] = require("nnlua.initializers").get(a[part .. "_initializer"])
    self[part .. "_regularizer"] = require("nnlua.regularizers").get(a[part .. "_regularizer"])
    self[part .. "_constraint"] = require("nnlua.constraints").get(a[part .. "_constraint"])
  end
end

local function keep_common(self, a)
  local rank = self.rank
  Layer.init(self, a)
  self.ndim = rank + 2
  self.kernel_size = window.sizes(self, "kernel_size", a.kernel_size, rank)
  self.strides = window.sizes(self, "strides", a.strides, rank)
  self.dilation_rate = window.sizes(self, "dilation_rate", a.dilation_rate, rank)
  self.padding = window.padding(self, a.padding, self.causal)
  self.data_format = window.data_format(self, a.data_format)
  self.use_bias = a.use_bias
  self.activation = require("nnlua.activations").get(a.activation)
  local name = require("nnlua.activations").name_of(self.activation)
  rawset(self, "fused", fused[name] or 0)
  rawset(self, "separate", not fused[name])
  local strided, dilated = false, false
  for i = 1, rank do
    strided, dilated = strided or self.strides[i] > 1, dilated or self.dilation_rate[i] > 1
  end
  if strided and dilated then
    err.raise("%s: strides and dilation_rate are both above 1, expected one of them",
      self.class_name)
  end
end

local function channels_of(self, input_shape)
  local axis = window.channel_axis(self, #input_shape)
  local n = input_shape[axis]
  err.check(n, "%s: the channels of the input %s are unknown", self.class_name,
    shapes.text(input_shape, "batch"))
  return n
end

local function kernel_shape(self, ...)
  local shape = table.move(self.kernel_size, 1, self.rank, 1, {})
  for _, n in ipairs {...} do shape[#shape + 1] = n end
  return shape
end

local function check_channels(self, x)
  local shape = x.shape
  local axis = window.channel_axis(self, #shape)
  if shape[axis] ~= self.channels then
    err.raise("layer '%s' (%s): input %s, expected %d channels", self.name, self.class_name,
      shapes.text(shape), self.channels)
  end
end

-- One product of windows and kernel on channels-last x.
local function convolve(self, x, kernel, bias, groups, act)
  local shape = x.shape
  local before, after = window.pads(self.padding, shape, self.kernel_size, self.strides,
    self.dilation_rate)
  window.check_fit(self, shape, self.kernel_size, self.dilation_rate, before, after)
  local ints = window.ints(self.rank, self.strides, self.dilation_rate, before, after)
  ints[14], ints[15] = groups, act
  return core.apply("conv", {x, kernel, bias}, ints)
end

local function activate(self, y)
  return self.separate and self.activation(y) or y
end

-- Conv --------------------------------------------------------------------------------------------

local function conv_class(rank, one)
  local name = ("Conv%dD"):format(rank)
  local cls = Layer:extend(name, {
    args = ([[filters, kernel_size, strides=%s, padding="valid", data_format=None,
      dilation_rate=%s, groups=1, activation=None, use_bias=True,
      kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None,
      bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
      bias_constraint=None]]):format(one, one),
    rank = rank, causal = rank == 1, window_name = "kernel",
  })

  function cls:init(a)
    keep_common(self, a)
    self.filters = check_count(self, "filters", a.filters)
    self.groups = check_count(self, "groups", a.groups)
    if self.filters % self.groups ~= 0 then
      err.raise("%s: %d filters do not divide into %d groups", name, self.filters, self.groups)
    end
    keep_parts(self, a, {"kernel", "bias"})
  end

  function cls:build(input_shape)
    local channels = channels_of(self, input_shape)
    if channels % self.groups ~= 0 then
      err.raise("%s: %d channels do not divide into %d groups", name, channels, self.groups)
    end
    rawset(self, "channels", channels)
    self.kernel = parts.add(self, "kernel",
      kernel_shape(self, channels // self.groups, self.filters))
    if self.use_bias then self.bias = parts.add(self, "bias", {self.filters}) end
  end

  function cls:call(x)
    check_channels(self, x)
    local y = convolve(self, window.to_last(self, x), self.kernel.tensor,
      self.bias and self.bias.tensor, self.groups, self.fused)
    return window.from_last(self, activate(self, y))
  end

  M[name], M[("Convolution%dD"):format(rank)] = cls, cls
end

conv_class(1, "1")
conv_class(2, "(1, 1)")
conv_class(3, "(1, 1, 1)")

-- Transposed --------------------------------------------------------------------------------------

-- Sizes and padding, axis by axis, of the convolution whose gradient this is.
local function transposed_geometry(self, shape)
  local sizes, before, after = {}, {}, {}
  for i = 1, self.rank do
    local n, stride = shape[i + 1], self.strides[i]
    local wide = (self.kernel_size[i] - 1) * self.dilation_rate[i] + 1
    local extra = self.output_padding and self.output_padding[i]
    if self.padding == "valid" then
      sizes[i] = (n - 1) * stride + wide + (extra or math.max(wide, stride) - wide)
      before[i] = 0
    else
      sizes[i] = extra and (n - 1) * stride + wide % 2 + extra or n * stride
      before[i] = extra and wide // 2 or math.max(wide - stride, 0) // 2
    end
    after[i] = math.max((n - 1) * stride + wide - sizes[i] - before[i], 0)
  end
  return sizes, before, after
end

local transposed_args = {
  [[filters, kernel_size, strides=%s, padding="valid", output_padding=None, data_format=None,
    dilation_rate=%s, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
    bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None,
    activity_regularizer=None, kernel_constraint=None, bias_constraint=None]],
  [[filters, kernel_size, strides=%s, padding="valid", data_format=None, output_padding=None,
    dilation_rate=%s, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
    bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None,
    activity_regularizer=None, kernel_constraint=None, bias_constraint=None]],
}

local function transposed_class(rank, one)
  local name = ("Conv%dDTranspose"):format(rank)
  local cls = Layer:extend(name, {
    args = transposed_args[rank == 3 and 2 or 1]:format(one, one),
    rank = rank, window_name = "kernel",
  })

  function cls:init(a)
    keep_common(self, a)
    self.filters = check_count(self, "filters", a.filters)
    if a.output_padding ~= nil then
      local list = window.sizes(self, "output_padding", a.output_padding, rank, 0)
      for i = 1, rank do
        if list[i] >= self.strides[i] then
          err.raise("%s: output_padding is %d, expected below the stride %d", name, list[i],
            self.strides[i])
        end
      end
      self.output_padding = list
    end
    keep_parts(self, a, {"kernel", "bias"})
  end

  function cls:build(input_shape)
    rawset(self, "channels", channels_of(self, input_shape))
    self.kernel = parts.add(self, "kernel", kernel_shape(self, self.filters, self.channels))
    if self.use_bias then self.bias = parts.add(self, "bias", {self.filters}) end
  end

  function cls:call(x)
    check_channels(self, x)
    x = window.to_last(self, x)
    local sizes, before, after = transposed_geometry(self, x.shape)
    local ints = window.ints(rank, self.strides, self.dilation_rate, before, after)
    ints[14], ints[15] = 1, 0
    for i = 1, 3 do ints[15 + i] = sizes[i] or 1 end
    local y = core.apply("conv_transpose", {x, self.kernel.tensor}, ints)
    if self.bias then y = y + self.bias.tensor end
    return window.from_last(self, self.activation(y))
  end

  M[name], M[("Convolution%dDTranspose"):format(rank)] = cls, cls
end

transposed_class(1, "1")
transposed_class(2, "(1, 1)")
transposed_class(3, "(1, 1, 1)")

-- Depthwise ---------------------------------------------------------------------------------------

-- A kernel of its own for every channel: (k..., c, m) lies in memory as the kernel of c groups.
local function by_channel(self, x, kernel, bias, act)
  local shape = kernel_shape(self, 1, self.channels * self.depth_multiplier)
  return convolve(self, x, require("nnlua.ops").reshape(kernel, shape), bias, self.channels, act)
end

local function depthwise_class(rank, one)
  local name = ("DepthwiseConv%dD"):format(rank)
  local cls = Layer:extend(name, {
    args = ([[kernel_size, strides=%s, padding="valid", depth_multiplier=1, data_format=None,
      dilation_rate=%s, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
      bias_initializer="zeros", depthwise_regularizer=None, bias_regularizer=None,
      activity_regularizer=None, depthwise_constraint=None, bias_constraint=None]])
      :format(one, one),
    rank = rank, window_name = "kernel",
  })

  function cls:init(a)
    keep_common(self, a)
    self.depth_multiplier = check_count(self, "depth_multiplier", a.depth_multiplier)
    keep_parts(self, a, {"depthwise", "bias"})
  end

  function cls:build(input_shape)
    local channels = channels_of(self, input_shape)
    rawset(self, "channels", channels)
    self.kernel = parts.add(self, "depthwise",
      kernel_shape(self, channels, self.depth_multiplier), "kernel")
    if self.use_bias then
      self.bias = parts.add(self, "bias", {channels * self.depth_multiplier})
    end
  end

  function cls:call(x)
    check_channels(self, x)
    local y = by_channel(self, window.to_last(self, x), self.kernel.tensor,
      self.bias and self.bias.tensor, self.fused)
    return window.from_last(self, activate(self, y))
  end

  M[name] = cls
end

depthwise_class(1, "1")
depthwise_class(2, "(1, 1)")

-- Separable ---------------------------------------------------------------------------------------

local function separable_class(rank, one)
  local name = ("SeparableConv%dD"):format(rank)
  local cls = Layer:extend(name, {
    args = ([[filters, kernel_size, strides=%s, padding="valid", data_format=None,
      dilation_rate=%s, depth_multiplier=1, activation=None, use_bias=True,
      depthwise_initializer="glorot_uniform", pointwise_initializer="glorot_uniform",
      bias_initializer="zeros", depthwise_regularizer=None, pointwise_regularizer=None,
      bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
      pointwise_constraint=None, bias_constraint=None]]):format(one, one),
    rank = rank, window_name = "kernel",
  })

  function cls:init(a)
    keep_common(self, a)
    self.filters = check_count(self, "filters", a.filters)
    self.depth_multiplier = check_count(self, "depth_multiplier", a.depth_multiplier)
    keep_parts(self, a, {"depthwise", "pointwise", "bias"})
  end

  function cls:build(input_shape)
    local channels = channels_of(self, input_shape)
    local one_cell = {}
    for i = 1, rank do one_cell[i] = 1 end
    one_cell[rank + 1], one_cell[rank + 2] = channels * self.depth_multiplier, self.filters
    rawset(self, "channels", channels)
    self.depthwise_kernel = parts.add(self, "depthwise",
      kernel_shape(self, channels, self.depth_multiplier), "depthwise_kernel")
    self.pointwise_kernel = parts.add(self, "pointwise", one_cell, "pointwise_kernel")
    if self.use_bias then self.bias = parts.add(self, "bias", {self.filters}) end
  end

  function cls:call(x)
    check_channels(self, x)
    local deep = by_channel(self, window.to_last(self, x), self.depthwise_kernel.tensor, nil, 0)
    local width = self.channels * self.depth_multiplier
    local kernel = require("nnlua.ops").reshape(self.pointwise_kernel.tensor, {width, self.filters})
    local y = core.apply("dense", {deep, kernel, self.bias and self.bias.tensor}, {self.fused})
    return window.from_last(self, activate(self, y))
  end

  M[name], M[("SeparableConvolution%dD"):format(rank)] = cls, cls
end

separable_class(1, "1")
separable_class(2, "(1, 1)")

return M
