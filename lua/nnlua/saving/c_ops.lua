-- Ops in C: what moves elements, products, tables. Each writes the body of a function of the arrays
-- x1, x2, ... (inputs) and y1, y2, ... (outputs): ops.NAME(f, n, s), with f the body (c_text.lua),
-- n the node (trace.lua) and s the shapes: {inputs=, dtypes= of the inputs, out=}. All arrays are
-- float; integers up to 2^24 are exact in them.

local text = require "nnlua.saving.c_text"

local product, number = text.product, text.number

local ops = {}

for _, name in ipairs {"elementwise", "reduce", "window"} do
  for op, write in pairs(require("nnlua.saving.c_" .. name)) do ops[op] = write end
end

-- moving ------------------------------------------------------------------------------------------

local function copy(f, out, steps, start)
  local loops, at = f:walk("i", out, {text.strides(out), steps}, {0, start})
  f:add("y1[%s] = x1[%s];", at[1], at[2])
  f:close(loops)
end

function ops.transpose(f, n, s)
  local from, steps = text.strides(s.inputs[1]), {}
  for i = 1, #s.out[1] do steps[i] = from[n.ints[i] + 1] end
  copy(f, s.out[1], steps)
end

function ops.broadcast_to(f, _, s) copy(f, s.out[1], text.spread(s.inputs[1], s.out[1])) end

function ops.slice(f, n, s)
  local from, steps, start = text.strides(s.inputs[1]), {}, 0
  for i, d in ipairs(from) do
    steps[i] = d * n.ints[16 + i]
    start = start + d * n.ints[i]
  end
  copy(f, s.out[1], steps, start)
end

function ops.diagonal(f, n, s)
  local from, steps = text.strides(s.inputs[1]), {}
  local k, p, q = n.ints[1], n.ints[2] + 1, n.ints[3] + 1
  for i, d in ipairs(from) do if i ~= p and i ~= q then steps[#steps + 1] = d end end
  steps[#steps + 1] = from[p] + from[q]
  copy(f, s.out[1], steps, k > 0 and k * from[q] or -k * from[p])
end

function ops.diag(f, n, s)
  local out, k = s.out[1], n.ints[1]
  local side, count = out[#out], s.inputs[1][#s.inputs[1]]
  f:add("for (int i = 0; i < %d; i++) y1[i] = 0.0f;", product(out))
  f:each("r", product(s.inputs[1]) // count)
  f:each("i", count)
  f:add("y1[(r * %d + i + %d) * %d + i + %d] = x1[r * %d + i];", side, math.max(-k, 0), side,
    math.max(k, 0), count)
  f:close(2)
end

function ops.concatenate(f, n, s)
  local out, axis, first = s.out[1], n.ints[1] + 1, 0
  local row = product(out, axis)
  for k, shape in ipairs(s.inputs) do
    local width = product(shape, axis)
    f:each("r", product(out, 1, axis - 1))
    f:add("for (int i = 0; i < %d; i++) y1[r * %d + %d + i] = x%d[r * %d + i];", width, row, first,
      k, width)
    f:close()
    first = first + width
  end
end

-- The place in x of a place `at` beside its axis, by the mode of the padding.
local reflections = {[1] = {"-%s", "%d - %s"}, [2] = {"-%s - 1", "%d - %s"}}

function ops.pad(f, n, s)
  local from, into = text.strides(s.inputs[1]), {}
  local mode, tests = n.ints[1], {}
  for i, d in ipairs(s.out[1]) do f:each("i" .. i, d) end
  for i, d in ipairs(s.inputs[1]) do
    local name, back = "p" .. i, reflections[mode]
    f:add("%s %s = i%d - %d;", back and "int" or "const int", name, i, n.ints[1 + i])
    if back then
      f:add("if (%s < 0) %s = %s;", name, name, back[1]:format(name))
      f:add("if (%s >= %d) %s = %s;", name, d, name,
        back[2]:format(mode == 1 and 2 * d - 2 or 2 * d - 1, name))
    else
      tests[#tests + 1] = ("%s >= 0 && %s < %d"):format(name, name, d)
    end
    into[i] = ("%s * %d"):format(name, from[i])
  end
  local target = {}
  for i, d in ipairs(text.strides(s.out[1])) do target[i] = ("i%d * %d"):format(i, d) end
  local read = ("x1[%s]"):format(table.concat(into, " + "))
  if #tests > 0 then
    read = ("%s ? %s : %s"):format(table.concat(tests, " && "), read, number(n.floats[1]))
  end
  f:add("y1[%s] = %s;", table.concat(target, " + "), read)
  f:close(#s.out[1])
end

function ops.band(f, n, s)
  local shape = s.inputs[1]
  local far = 1 << 30
  local low, high = math.max(n.ints[1], -far), math.min(n.ints[2], far)
  f:each("r", product(shape, 1, #shape - 2))
  f:each("i", shape[#shape - 1])
  f:each("j", shape[#shape])
  f:add("const int at = (r * %d + i) * %d + j;", shape[#shape - 1], shape[#shape])
  f:add("y1[at] = j - i >= %d && j - i <= %d ? x1[at] : 0.0f;", low, high)
  f:close(3)
end

-- integers; those that are there already stay
function ops.cast(f, n, s)
  f:each("i", product(s.out[1]))
  f:add(n.ints[1] == 2 and "y1[i] = x1[i] < 0.0f ? 0.0f : x1[i] > 255.0f ? 255.0f : truncf(x1[i]);"
    or "y1[i] = truncf(x1[i]);")
  f:close()
end

-- products ----------------------------------------------------------------------------------------

local acts = {[0] = "v", "v > 0.0f ? v : 0.0f", "1.0f / (1.0f + expf(-v))", "tanhf(v)"}

function ops.dense(f, n, s)
  local columns, units = s.inputs[2][1], s.inputs[2][2]
  f:each("r", product(s.inputs[1]) // columns)
  f:each("j", units)
  f:add("float v = %s;", #s.inputs == 3 and "x3[j]" or "0.0f")
  f:add("for (int i = 0; i < %d; i++) v += x1[r * %d + i] * x2[i * %d + j];", columns, columns,
    units)
  f:add("y1[r * %d + j] = %s;", units, acts[n.ints[1]])
  f:close(2)
end

function ops.matmul(f, _, s)
  local a, b, out = s.inputs[1], s.inputs[2], s.out[1]
  local m, k, n = #a > 1 and a[#a - 1] or 1, a[#a], #b > 1 and b[#b] or 1
  local matrix = (#a > 1 and 1 or 0) + (#b > 1 and 1 or 0)
  local outer = table.move(out, 1, #out - matrix, 1, {})
  local function batch(shape, size)
    local steps = text.spread(table.move(shape, 1, #shape - 2, 1, {}), outer)
    for i, d in ipairs(steps) do steps[i] = d * size end
    return steps
  end
  local own = text.strides(outer)
  for i, d in ipairs(own) do own[i] = d * m * n end
  local loops, at = f:walk("i", outer, {batch(a, m * k), batch(b, k * n), own})
  f:each("r", m)
  f:each("c", n)
  f:add "float v = 0.0f;"
  f:add("for (int k = 0; k < %d; k++) v += x1[%s + r * %d + k] * x2[%s + k * %d + c];", k, at[1], k,
    at[2], n)
  f:add("y1[%s + r * %d + c] = v;", at[3], n)
  f:close(2 + loops)
end

-- tables ------------------------------------------------------------------------------------------

-- Rows of x1 by the numbers of x2; a number outside gives zeros. base 1: numbers count from 1, or
-- from the end when they are negative.
local function rows_of(f, s, axis, base)
  local shape = s.inputs[1]
  local n, inner = shape[axis + 1], product(shape, axis + 2)
  f:each("r", product(shape, 1, axis))
  f:each("k", product(s.inputs[2]))
  f:add(base == 1 and "const int id = (int)x2[k] + (x2[k] < 0.0f ? %d : -1);"
    or "const int id = (int)x2[k];", n)
  f:each("i", inner)
  f:add("y1[(r * %d + k) * %d + i] = id >= 0 && id < %d ? x1[(r * %d + id) * %d + i] : 0.0f;",
    product(s.inputs[2]), inner, n, n, inner)
  f:close(3)
end

function ops.embedding(f, _, s) rows_of(f, s, 0, 0) end
function ops.take(f, n, s) rows_of(f, s, n.ints[1], n.ints[2]) end

function ops.take_along_axis(f, n, s)
  local shape, axis = s.inputs[1], n.ints[1]
  local from, to, inner = shape[axis + 1], s.inputs[2][axis + 1], product(shape, axis + 2)
  f:each("r", product(shape, 1, axis))
  f:each("k", to)
  f:each("i", inner)
  f:add("const float v = x2[(r * %d + k) * %d + i];", to, inner)
  f:add(n.ints[2] == 1 and "const int id = (int)v + (v < 0.0f ? %d : -1);"
    or "const int id = (int)v;", from)
  f:add("y1[(r * %d + k) * %d + i] = id >= 0 && id < %d ? x1[(r * %d + id) * %d + i] : 0.0f;", to,
    inner, from, from, inner)
  f:close(3)
end

function ops.one_hot(f, n, s)
  local classes, inner = n.ints[1], product(s.inputs[1], n.ints[2] + 1)
  f:each("r", product(s.inputs[1]) // inner)
  f:each("k", classes)
  f:each("i", inner)
  f:add("y1[(r * %d + k) * %d + i] = truncf(x1[r * %d + i]) == (float)k ? 1.0f : 0.0f;", classes,
    inner, inner)
  f:close(3)
end

function ops.searchsorted(f, n, s)
  f:each("i", product(s.out[1]))
  f:add("int at = 0;")
  f:add("while (at < %d && x1[at] %s x2[i]) at++;", s.inputs[1][1], n.ints[1] ~= 0 and "<=" or "<")
  f:add("y1[i] = (float)(at + %d);", n.ints[2])
  f:close()
end

ops.vocabulary_index = {
  refuse = function(n) return n.ints[3] ~= 0 and "hashes what it does not know" end,
  write = function(f, n, s)
    local slots = math.max(n.ints[1], 1)
    f:each("i", product(s.out[1]))
    f:add "const int id = (int)x1[i];"
    f:add("int slot = id %% %d;", slots)
    f:add("if (slot < 0) slot += %d;", slots)
    f:add("y1[i] = (float)(slot + %d);", n.ints[1] == 0 and 0 or n.ints[2])
    f:add("for (int k = 0; k < %d; k++) if (x2[k] == (float)id) y1[i] = x3[k];", s.inputs[2][1])
    f:close()
  end,
}

return ops
