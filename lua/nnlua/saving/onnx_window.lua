-- Convolutions and pooling as ONNX operators, which have their channels first: transposed,
-- computed, transposed back. See onnx_ops.lua for the arguments.

local core = require "nnlua.core"
local sizes = require "nnlua.saving.sizes"

local ops = {}

local function part(n, first, axes) return table.move(n.ints, first, first + axes - 1, 1, {}) end

local function joined(a, b) return table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})) end

-- compute(x) between two transpositions.
local function channels_first(g, n, axes, compute)
  local there, back = {0, axes + 1}, {0}
  for i = 1, axes do there[i + 2], back[i + 1] = i, i + 1 end
  back[axes + 2] = 1
  local x = g:get(n.inputs[1], n, "float32")
  return g:node("Transpose", {compute(g:node("Transpose", {x}, {perm = there}))}, {perm = back})
end

-- From (axes..., a, b) to (b, a, axes...).
local function kernel_first(g, n, axes)
  local v = n.inputs[2]
  local order = {axes + 1, axes}
  for i = 1, axes do order[i + 2] = i - 1 end
  local value = g.net.values[v]
  if not value.data then return g:node("Transpose", {g:get(v, n)}, {perm = order}) end
  return g:tensor((core.apply("transpose", {value.data}, order)))
end

local acts = {"Relu", "Sigmoid", "Tanh"}

--- What an op fuses behind itself: 0 nothing, 1 relu, 2 sigmoid, 3 tanh.
function ops.act(g, name, act) return act == 0 and name or g:node(acts[act], {name}) end

local writes = {}

function writes.conv(g, n)
  local axes = n.ints[1]
  local inputs = {false, kernel_first(g, n, axes), n.inputs[3] and g:get(n.inputs[3], n)}
  local y = channels_first(g, n, axes, function(x)
    inputs[1] = x
    return g:node("Conv", inputs, {strides = part(n, 2, axes), dilations = part(n, 5, axes),
      pads = joined(part(n, 8, axes), part(n, 11, axes)), group = n.ints[14]})
  end)
  return ops.act(g, y, n.ints[15])
end

function writes.conv_transpose(g, n)
  local axes, kernel = n.ints[1], g.net.values[n.inputs[2]].shape
  local x, out = g.net.values[n.inputs[1]].shape, g.net.values[n.outputs[1]].shape
  local strides, dilations, before = part(n, 2, axes), part(n, 5, axes), part(n, 8, axes)
  local after, more = {}, {}
  if sizes.any(table.move(x, 2, #x, 1, {})) then g:refuse_open() end
  for i = 1, axes do
    local full = strides[i] * (x[i + 1] - 1) + (kernel[i] - 1) * dilations[i] + 1
    local rest = full - before[i] - out[i + 1]
    after[i], more[i] = math.max(rest, 0), math.max(-rest, 0)
  end
  local weights = kernel_first(g, n, axes)
  return channels_first(g, n, axes, function(t)
    return g:node("ConvTranspose", {t, weights}, {strides = strides, dilations = dilations,
      pads = joined(before, after), output_padding = more})
  end)
end

-- One axis after the other: each cell of the output is a slice reduced to one.
local function adaptive(g, n, axes, most)
  local x, out = g.net.values[n.inputs[1]].shape, g.net.values[n.outputs[1]].shape
  local y = g:get(n.inputs[1], n, "float32")
  if sizes.any(table.move(x, 2, #x, 1, {})) then g:refuse_open() end
  for i = 1, axes do
    local size, cells, parts = x[i + 1], out[i + 1], {}
    for c = 0, cells - 1 do
      local from, to = c * size // cells, ((c + 1) * size + cells - 1) // cells
      local cell = g:node("Slice", {y, g:numbers{from}, g:numbers{to}, g:numbers{i}})
      parts[c + 1] = g:node(most and "ReduceMax" or "ReduceMean", {cell}, {axes = {i},
        keepdims = 1})
    end
    y = #parts == 1 and parts[1] or g:node("Concat", parts, {axis = i})
  end
  return y
end

local function pool(g, n)
  local axes, most = n.ints[1], n.op == "max_pool"
  if n.ints[17] ~= 0 then return adaptive(g, n, axes, most) end
  return channels_first(g, n, axes, function(x)
    return g:node(most and "MaxPool" or "AveragePool", {x}, {kernel_shape = part(n, 14, axes),
      strides = part(n, 2, axes), pads = joined(part(n, 8, axes), part(n, 11, axes))})
  end)
end

writes.max_pool, writes.avg_pool = pool, pool

return {ops = writes, act = ops.act}
