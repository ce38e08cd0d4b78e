-- Ops as ONNX operators (opset 17). Each adds nodes to a graph (onnx_graph.lua) for a node of the
-- net (trace.lua) and gives the names of its outputs: ops.NAME(g, n). Those in `truths` give bools.

local core = require "nnlua.core"
local elementwise = require "nnlua.saving.onnx_elementwise"
local sizes = require "nnlua.saving.sizes"
local trace = require "nnlua.saving.trace"
local window = require "nnlua.saving.onnx_window"

local ops, truths, given = elementwise.ops, elementwise.truths, elementwise.given

for name, write in pairs(window.ops) do ops[name] = write end

local function shape_of(g, v) return g.net.values[v].shape end
local function out_shape(g, n) return g.net.values[n.outputs[1]].shape end
local function first(g, n, dtype) return g:get(n.inputs[1], n, dtype) end

-- moving ------------------------------------------------------------------------------------------

function ops.reshape(g, n) return g:reshape(first(g, n), out_shape(g, n)) end

function ops.transpose(g, n)
  return g:node("Transpose", {first(g, n)}, {perm = table.move(n.ints, 1, #out_shape(g, n), 1, {})})
end

function ops.broadcast_to(g, n)
  return g:node("Expand", {first(g, n), g:sizes(out_shape(g, n))})
end

-- Beyond every array: where a slice that runs backwards ends when it takes the first element too.
local BEFORE_ALL = -(1 << 31)

function ops.slice(g, n)
  local shape, out = shape_of(g, n.inputs[1]), out_shape(g, n)
  local from, to, axes, steps = {}, {}, {}, {}
  for i, d in ipairs(shape) do
    local start, step = n.ints[i], n.ints[16 + i]
    if sizes.is(step) then g:refuse_open() end
    if start ~= 0 or step ~= 1 or not sizes.same(d, out[i]) then
      local last = sizes.sum(start, step, out[i]) or g:refuse_open()
      if not sizes.is(last) and last < 0 then last = BEFORE_ALL end
      from[#from + 1], to[#to + 1] = start, last
      axes[#axes + 1], steps[#steps + 1] = i - 1, step
    end
  end
  if #axes == 0 then return first(g, n) end
  return g:node("Slice", {first(g, n), g:sizes(from), g:sizes(to), g:numbers(axes),
    g:numbers(steps)})
end

function ops.concatenate(g, n)
  local list = {}
  for i in ipairs(n.inputs) do list[i] = given(g, n, i) end
  return #list == 1 and list[1] or g:node("Concat", list, {axis = n.ints[1]})
end

-- Padding by constants has an operator; the others are a choice of elements along each axis.
function ops.pad(g, n)
  local shape, before, after = shape_of(g, n.inputs[1]), {}, {}
  for i in ipairs(shape) do before[i], after[i] = n.ints[1 + i], n.ints[9 + i] end
  if n.ints[1] == 0 then
    local dtype = g.net.values[n.inputs[1]].dtype
    local value = dtype == "float32" and n.floats[1] or math.tointeger(n.floats[1]) or 0
    local pads = table.move(after, 1, #after, #before + 1, before)
    return g:node("Pad", {first(g, n), g:numbers(pads), g:constant({}, {value}, dtype)})
  end
  local edge, y = n.ints[1] == 2 and 1 or 0, first(g, n)
  for i, d in ipairs(shape) do
    if before[i] > 0 or after[i] > 0 then
      if sizes.is(d) then g:refuse_open() end
      local places = {}
      for at = -before[i], d + after[i] - 1 do
        places[#places + 1] = at < 0 and -at - edge or at >= d and 2 * d - 2 - at + edge or at
      end
      y = g:node("Gather", {y, g:numbers(places)}, {axis = i - 1})
    end
  end
  return y
end

function ops.band(g, n)
  local shape = shape_of(g, n.inputs[1])
  local rows, columns, mask = shape[#shape - 1], shape[#shape], {}
  if sizes.is(rows) or sizes.is(columns) then g:refuse_open() end
  for i = 0, rows - 1 do
    for j = 0, columns - 1 do
      mask[#mask + 1] = j - i >= n.ints[1] and j - i <= n.ints[2] and 1 or 0
    end
  end
  local kept = g:cast(g:constant({rows, columns}, mask, "uint8"), "bool")
  return g:node("Where", {kept, first(g, n), elementwise.zero_like(g, n)})
end

-- Diagonal k of the axes p and q: the two become one, whose elements are picked.
function ops.diagonal(g, n)
  local shape, order, flat = shape_of(g, n.inputs[1]), {}, {}
  local k, p, q = n.ints[1], n.ints[2], n.ints[3]
  local rows, columns, places = shape[p + 1], shape[q + 1], {}
  if sizes.is(rows) or sizes.is(columns) then g:refuse_open() end
  for i, d in ipairs(shape) do
    if i - 1 ~= p and i - 1 ~= q then order[#order + 1], flat[#flat + 1] = i - 1, d end
  end
  order[#order + 1], order[#order + 2], flat[#flat + 1] = p, q, rows * columns
  for i = math.max(-k, 0), rows - 1 do
    if i + k < columns then places[#places + 1] = i * columns + i + k end
  end
  local x = g:reshape(g:node("Transpose", {first(g, n)}, {perm = order}), flat)
  return g:node("Gather", {x, g:numbers(places)}, {axis = #flat - 1})
end

-- Every place of the matrices takes an element, those beside diagonal k are then 0.
function ops.diag(g, n)
  local out, k, places, mask = out_shape(g, n), n.ints[1], {}, {}
  local side = out[#out]
  if sizes.is(side) then g:refuse_open() end
  for i = 0, side - 1 do
    for j = 0, side - 1 do
      local on = j - i == k
      mask[#mask + 1] = on and 1 or 0
      places[#places + 1] = on and math.min(i, j) or 0
    end
  end
  local all = g:node("Gather", {first(g, n), g:constant({side, side}, places, "int64")},
    {axis = #out - 2})
  local kept = g:cast(g:constant({side, side}, mask, "uint8"), "bool")
  return g:node("Where", {kept, all, elementwise.zero_like(g, n)})
end

function ops.copy(g, n) return first(g, n) end
ops.stop_gradient = ops.copy

function ops.cast(g, n) return first(g, n, g.net.values[n.outputs[1]].dtype) end

-- products ----------------------------------------------------------------------------------------

function ops.dense(g, n)
  local x, kernel = first(g, n, "float32"), g:get(n.inputs[2], n)
  local bias, y = n.inputs[3] and g:get(n.inputs[3], n)
  if #shape_of(g, n.inputs[1]) == 2 then
    y = g:node("Gemm", {x, kernel, bias})
  else
    y = g:node("MatMul", {x, kernel})
    if bias then y = g:node("Add", {y, bias}) end
  end
  return window.act(g, y, n.ints[1])
end

function ops.matmul(g, n) return g:node("MatMul", {given(g, n, 1), given(g, n, 2)}) end

-- over axes ---------------------------------------------------------------------------------------

local function axes_of(g, n)
  local axes = {}
  for i = 1, #shape_of(g, n.inputs[1]) do
    if n.ints[1] >> (i - 1) & 1 == 1 then axes[#axes + 1] = i - 1 end
  end
  return axes
end

local function reduced(g, op, x, axes, keep)
  if #axes == 0 then return x end
  if op == "ReduceSum" then return g:node(op, {x, g:numbers(axes)}, {keepdims = keep}) end
  return g:node(op, {x}, {axes = axes, keepdims = keep})
end

for name, op in pairs {sum = "ReduceSum", mean = "ReduceMean", prod = "ReduceProd",
  max = "ReduceMax", min = "ReduceMin", logsumexp = "ReduceLogSumExp"} do
  ops[name] = function(g, n)
    return reduced(g, op, given(g, n, 1), axes_of(g, n), n.ints[2])
  end
end

local function variance(g, n)
  local x, axes = given(g, n, 1), axes_of(g, n)
  local d = g:node("Sub", {x, reduced(g, "ReduceMean", x, axes, 1)})
  return reduced(g, "ReduceMean", g:node("Mul", {d, d}), axes, n.ints[2])
end

ops.var = variance
function ops.std(g, n) return g:node("Sqrt", {variance(g, n)}) end

local function truth(g, n, op)
  return reduced(g, op, g:cast(first(g, n, "bool"), "int32"), axes_of(g, n), n.ints[2])
end

function truths.any(g, n) return g:cast(truth(g, n, "ReduceMax"), "bool") end
function truths.all(g, n) return g:cast(truth(g, n, "ReduceMin"), "bool") end
function ops.count_nonzero(g, n) return truth(g, n, "ReduceSum") end

for name, op in pairs {argmax = "ArgMax", argmin = "ArgMin"} do
  ops[name] = function(g, n)
    local x = first(g, n)
    if g.net.values[n.inputs[1]].dtype == "uint8" then x = first(g, n, "int32") end
    local place = g:node(op, {x}, {axis = n.ints[1], keepdims = n.ints[2]})
    return g:node("Add", {g:cast(place, "int32"), g:constant({}, {n.ints[3]}, "int32")})
  end
end

function ops.softmax(g, n)
  return g:node("Softmax", {first(g, n, "float32")}, {axis = n.ints[1]})
end

function ops.log_softmax(g, n)
  return g:node("LogSoftmax", {first(g, n, "float32")}, {axis = n.ints[1]})
end

function ops.cumsum(g, n)
  return g:node("CumSum", {given(g, n, 1), g:constant({}, {n.ints[1]}, "int64")})
end

-- There is no operator: element by element.
function ops.cumprod(g, n)
  local axis, x, list = n.ints[1], given(g, n, 1), {}
  local size = shape_of(g, n.inputs[1])[axis + 1]
  if sizes.is(size) then g:refuse_open() end
  for i = 1, size do
    local one = g:node("Slice", {x, g:numbers{i - 1}, g:numbers{i}, g:numbers{axis}})
    list[i] = i == 1 and one or g:node("Mul", {list[i - 1], one})
  end
  return g:node("Concat", list, {axis = axis})
end

-- The k largest or smallest along an axis, and their numbers from `base` on.
local function top(g, n, x, k, axis, largest, base)
  local values, places = g:node("TopK", {x, g:numbers{k}}, {axis = axis, largest = largest,
    sorted = 1}, 2)
  return values, g:node("Add", {g:cast(places, "int32"), g:constant({}, {base}, "int32")})
end

function ops.sort(g, n)
  local size = shape_of(g, n.inputs[1])[n.ints[1] + 1]
  if sizes.is(size) then g:refuse_open() end
  return top(g, n, given(g, n, 1), size, n.ints[1], n.ints[2], n.ints[3])
end

function ops.top_k(g, n)
  return top(g, n, given(g, n, 1), n.ints[1], #shape_of(g, n.inputs[1]) - 1, 1, n.ints[2])
end

-- As the op's file has it: tau is (the sum of the running sums over the support - 1) / its size.
function ops.sparsemax(g, n)
  local x, axis = first(g, n, "float32"), n.ints[1]
  local shape = shape_of(g, n.inputs[1])
  local size, ranks, like = shape[axis + 1], {}, {}
  if sizes.is(size) then g:refuse_open() end
  for i = 1, size do ranks[i] = i end
  for i = 1, #shape do like[i] = i == axis + 1 and size or 1 end
  local sorted = g:node("TopK", {x, g:numbers{size}}, {axis = axis}, 2)
  local running = g:node("CumSum", {sorted, g:constant({}, {axis}, "int64")})
  local line = g:constant(like, ranks)
  local inside = g:node("Greater", {g:node("Mul", {sorted, line}), g:node("Sub", {running, 1})})
  local function total(y) return reduced(g, "ReduceSum", y, {axis}, 1) end
  local sum = total(g:node("Where", {inside, running, 0}))
  local tau = g:node("Div", {g:node("Sub", {sum, 1}), total(g:cast(inside, "float32"))})
  return g:node("Relu", {g:node("Sub", {x, tau})})
end

-- normalizations over the last axes ---------------------------------------------------------------

-- A weight of the row, in the row's shape.
local function weight(g, n, bit, at, row)
  if n.ints[2] & bit == 0 then return nil end
  local v = n.inputs[at]
  return #shape_of(g, v) == #row and g:get(v, n) or g:reshape(g:get(v, n), row)
end

local function row_of(g, n)
  local shape = shape_of(g, n.inputs[1])
  local row, axes = table.move(shape, #shape - n.ints[1] + 1, #shape, 1, {}), {}
  for i in ipairs(row) do axes[i] = i - 1 - #row end
  return row, axes
end

function ops.layer_norm(g, n)
  local row, count = row_of(g, n), 1
  if sizes.any(row) then g:refuse_open() end
  for _, d in ipairs(row) do count = count * d end
  local gamma = weight(g, n, 1, 2, row)
  local beta = weight(g, n, 2, gamma and 3 or 2, row)
  if not gamma then
    local ones = {}
    for i = 1, count do ones[i] = 1 end
    gamma = g:constant(row, ones)
  end
  return g:node("LayerNormalization", {first(g, n), gamma, beta}, {axis = -n.ints[1],
    epsilon = n.floats[1]})
end

function ops.rms_norm(g, n)
  local row, axes = row_of(g, n)
  local x = first(g, n)
  local gamma = weight(g, n, 1, 2, row)
  local beta = weight(g, n, 2, gamma and 3 or 2, row)
  local mean = reduced(g, "ReduceMean", g:node("Mul", {x, x}), axes, 1)
  local y = g:node("Div", {x, g:node("Sqrt", {g:node("Add", {mean, n.floats[1]})})})
  if gamma then y = g:node("Mul", {y, gamma}) end
  return beta and g:node("Add", {y, beta}) or y
end

-- tables ------------------------------------------------------------------------------------------

function ops.embedding(g, n)
  return g:node("Gather", {first(g, n), g:get(n.inputs[2], n, "int64")}, {axis = 0})
end

-- Numbers from 1, or from the end when negative, as ONNX counts them.
local function places(g, n, base)
  local v = n.inputs[2]
  if base == 0 then return g:get(v, n, "int64") end
  local value = g.net.values[v]
  if value.data and not value.other then
    local list = core.reshape(value.data, {value.data.size}):totable()
    for i, at in ipairs(list) do list[i] = math.tointeger(at > 0 and at - 1 or at) end
    return g:constant(value.shape, list, "int64")
  end
  local id = g:get(v, n, "int64")
  local one, zero = g:constant({}, {1}, "int64"), g:constant({}, {0}, "int64")
  return g:node("Where", {g:node("Greater", {id, zero}), g:node("Sub", {id, one}), id})
end

function ops.take(g, n)
  return g:node("Gather", {first(g, n), places(g, n, n.ints[2])}, {axis = n.ints[1]})
end

function ops.take_along_axis(g, n)
  return g:node("GatherElements", {first(g, n), places(g, n, n.ints[2])}, {axis = n.ints[1]})
end

local dtypes = {[0] = "float32", "int32", "uint8"}

function ops.one_hot(g, n)
  local classes, axis = n.ints[1], n.ints[2]
  local list, like, out = {}, {}, out_shape(g, n)
  for i = 1, classes do list[i] = i - 1 end
  for i = 1, #out do like[i] = i == axis + 1 and classes or 1 end
  local ids = g:node("Unsqueeze", {first(g, n, "int32"), g:numbers{axis}})
  return g:cast(g:node("Equal", {ids, g:constant(like, list, "int32")}), dtypes[n.ints[3]])
end

-- How many of the sorted numbers stand before each value: those that do are counted.
function ops.searchsorted(g, n)
  local values = g:node("Unsqueeze", {g:get(n.inputs[2], n, "float32"), g:numbers{-1}})
  local before = g:node(n.ints[1] ~= 0 and "LessOrEqual" or "Less",
    {first(g, n, "float32"), values})
  local count = reduced(g, "ReduceSum", g:cast(before, "int32"), {-1}, 0)
  return g:node("Add", {count, g:constant({}, {n.ints[2]}, "int32")})
end

function ops.vocabulary_index(g, n)
  if n.ints[3] ~= 0 then trace.refuse(g.net, n, "hashes what it does not know") end
  local id = first(g, n, "int32")
  local function whole(v) return g:constant({}, {v}, "int32") end
  local slot = g:node("Mod", {id, whole(math.max(n.ints[1], 1))})
  local unknown = g:node("Add", {slot, whole(n.ints[1] == 0 and 0 or n.ints[2])})
  local hits = g:node("Equal", {g:node("Unsqueeze", {id, g:numbers{-1}}),
    g:get(n.inputs[2], n, "int32")})
  local hit = g:cast(hits, "int32")
  local found = reduced(g, "ReduceSum", g:node("Mul", {hit, g:get(n.inputs[3], n, "int32")}), {-1},
    0)
  local any = g:cast(reduced(g, "ReduceMax", hit, {-1}, 0), "bool")
  return g:node("Where", {any, found, unknown})
end

return {ops = ops, truths = truths}
