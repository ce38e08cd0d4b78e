-- Convolutions and pooling as steps (see lower.lua), over one or two axes, channels last:
--   conv {rank=, size=, strides=, dilation=, before=, after=, groups=, channels=, filters=,
--     kernel=, bias=}: the kernel runs over (axes..., channels / groups, filters)
--   pool {kind=, rank=, size=, strides=, before=, after=}     global_pool {kind=, rank=}
-- A depthwise kernel is one of as many groups as there are channels.

local err = require "nnlua.err"
local window = require "nnlua.layers.window"

local windows = {}

local function check(self, layer)
  if layer.rank > 2 or layer.data_format == "channels_first" then
    err.raise("%s: layer '%s' (%s) cannot be exported: it has three axes or its channels first",
      self.where, layer.name, layer.class_name)
  end
end

-- Pads and the sizes of the output for x {axes..., channels}.
local function place(layer, x, size, strides, dilation)
  local before, after = window.pads(layer.padding, {0, table.unpack(x.shape)}, size, strides,
    dilation)
  local shape = {}
  for i = 1, #size do
    local wide = (size[i] - 1) * dilation[i] + 1
    shape[i] = (x.shape[i] + before[i] + after[i] - wide) // strides[i] + 1
  end
  return before, after, shape
end

local function ones(n)
  local list = {}
  for i = 1, n do list[i] = 1 end
  return list
end

local function conv(tools, self, layer, x, a)
  local before, after, shape = place(layer, x, a.size, a.strides, a.dilation)
  shape[#shape + 1] = a.filters
  return tools.emit(self, {op = "conv", inputs = {x}, rank = layer.rank, size = a.size,
    strides = a.strides, dilation = a.dilation, before = before, after = after, groups = a.groups,
    channels = x.shape[#x.shape], filters = a.filters, kernel = tools.flat(a.kernel),
    bias = a.bias and tools.flat(a.bias)}, shape)
end

local function simple(tools)
  return function(self, layer, x)
    check(self, layer)
    local y = conv(tools, self, layer, x, {size = layer.kernel_size, strides = layer.strides,
      dilation = layer.dilation_rate, groups = layer.groups, filters = layer.filters,
      kernel = layer.kernel, bias = layer.bias})
    return tools.activation(self, layer, y, layer.activation)
  end
end

local function depthwise(tools, self, layer, x, kernel, bias)
  local channels = x.shape[#x.shape]
  return conv(tools, self, layer, x, {size = layer.kernel_size, strides = layer.strides,
    dilation = layer.dilation_rate, groups = channels,
    filters = channels * layer.depth_multiplier, kernel = kernel, bias = bias})
end

local function pool(tools, kind)
  return function(self, layer, x)
    check(self, layer)
    local before, after, shape = place(layer, x, layer.pool_size, layer.strides,
      ones(layer.rank))
    shape[#shape + 1] = x.shape[#x.shape]
    return tools.emit(self, {op = "pool", kind = kind, inputs = {x}, rank = layer.rank,
      size = layer.pool_size, strides = layer.strides, before = before, after = after}, shape)
  end
end

local function global_pool(tools, kind)
  return function(self, layer, x)
    check(self, layer)
    local y = tools.emit(self, {op = "global_pool", kind = kind, inputs = {x}, rank = layer.rank},
      {x.shape[#x.shape]})
    if not layer.keepdims then return y end
    local shape = ones(layer.rank)
    shape[#shape + 1] = x.shape[#x.shape]
    return tools.emit(self, {op = "reshape", inputs = {y}}, shape)
  end
end

--- Adds what it can write to the table of layers.
function windows.add(layers, tools)
  for rank = 1, 2 do
    layers[("Conv%dD"):format(rank)] = simple(tools)
    layers[("DepthwiseConv%dD"):format(rank)] = function(self, layer, x)
      check(self, layer)
      local y = depthwise(tools, self, layer, x, layer.kernel, layer.bias)
      return tools.activation(self, layer, y, layer.activation)
    end
    layers[("SeparableConv%dD"):format(rank)] = function(self, layer, x)
      check(self, layer)
      local y = depthwise(tools, self, layer, x, layer.depthwise_kernel)
      local one = ones(rank)
      y = conv(tools, self, layer, y, {size = one, strides = one, dilation = one, groups = 1,
        filters = layer.filters, kernel = layer.pointwise_kernel, bias = layer.bias})
      return tools.activation(self, layer, y, layer.activation)
    end
    for name, kind in pairs {Max = "max", Average = "average"} do
      layers[("%sPooling%dD"):format(name, rank)] = pool(tools, kind)
      layers[("Global%sPooling%dD"):format(name, rank)] = global_pool(tools, kind)
    end
  end
end

return windows
