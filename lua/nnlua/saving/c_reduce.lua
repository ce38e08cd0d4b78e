-- Ops along axes in C: sums and their kin, softmax, normalizations over rows, sorting, running
-- sums. See c_ops.lua.

local text = require "nnlua.saving.c_text"

local number, product = text.number, text.product

local ops = {}

-- over any axes -----------------------------------------------------------------------------------

-- Passes over the elements of a group: what begins it, what each element v does; then the result.
local kinds = {
  sum = {"float s = 0.0f;", "s += v;", "s"},
  mean = {"float s = 0.0f;", "s += v;", "s / %d.0f"},
  prod = {"float s = 1.0f;", "s *= v;", "s"},
  max = {"float s = -INFINITY;", "if (v > s) s = v;", "s"},
  min = {"float s = INFINITY;", "if (v < s) s = v;", "s"},
  all = {"float s = 1.0f;", "if (v == 0.0f) s = 0.0f;", "s"},
  any = {"float s = 0.0f;", "if (v != 0.0f) s = 1.0f;", "s"},
  count_nonzero = {"float s = 0.0f;", "if (v != 0.0f) s += 1.0f;", "s"},
  var = {"float m = 0.0f;", "m += v / %d.0f;", "float s = 0.0f;", "s += (v - m) * (v - m);",
    "s / %d.0f"},
  std = {"float m = 0.0f;", "m += v / %d.0f;", "float s = 0.0f;", "s += (v - m) * (v - m);",
    "sqrtf(s / %d.0f)"},
  logsumexp = {"float m = -INFINITY;", "if (v > m) m = v;", "float s = 0.0f;",
    "s += expf(v - m);", "m + logf(s)"},
}

local function reduce(f, n, s)
  local shape, strides = s.inputs[1], text.strides(s.inputs[1])
  local kept, steps, inner, inner_steps, count = {}, {}, {}, {}, 1
  for i, d in ipairs(shape) do
    if n.ints[1] >> (i - 1) & 1 == 1 then
      inner[#inner + 1], inner_steps[#inner_steps + 1], count = d, strides[i], count * d
    else
      kept[#kept + 1], steps[#steps + 1] = d, strides[i]
    end
  end
  local kind = kinds[n.op]
  local function told(line) return (line:gsub("%%d", tostring(count))) end
  local loops, at = f:walk("i", kept, {steps, text.strides(kept)})
  for pass = 1, #kind - 1, 2 do
    f:add(told(kind[pass]))
    local within, place = f:walk("j", inner, {inner_steps})
    f:add("const float v = x1[%s + %s];", at[1], place[1])
    f:add(told(kind[pass + 1]))
    f:close(within)
  end
  f:add("y1[%s] = %s;", at[2], told(kind[#kind]))
  f:close(loops)
end

-- Groups of one element need no loop within.
local function reduce_or_copy(f, n, s)
  for i, d in ipairs(s.inputs[1]) do
    if n.ints[1] >> (i - 1) & 1 == 1 and d ~= 1 then return reduce(f, n, s) end
  end
  f:each("i", product(s.out[1]))
  local one = {var = "0.0f * x1[i]", std = "0.0f * x1[i]", all = "x1[i] != 0.0f",
    any = "x1[i] != 0.0f", count_nonzero = "x1[i] != 0.0f"}
  f:add("y1[i] = %s;", one[n.op] or "x1[i]")
  f:close()
end

for name in pairs(kinds) do ops[name] = reduce_or_copy end

-- along one axis ----------------------------------------------------------------------------------

-- Opens loops over the lines along an axis (from 0); `in` points to the first element.
local function lines(f, shape, axis)
  local n, inner = shape[axis + 1], product(shape, axis + 2)
  f:each("r", product(shape, 1, axis))
  f:each("c", inner)
  f:add("const float *in = x1 + r * %d + c;", n * inner)
  return n, inner
end

local function softmax(f, n, s)
  local count, step = lines(f, s.inputs[1], n.ints[1])
  f:add("float *out = y1 + r * %d + c, most = in[0], sum = 0.0f;", count * step)
  f:add("for (int i = 1; i < %d; i++) if (in[i * %d] > most) most = in[i * %d];", count, step, step)
  f:add("for (int i = 0; i < %d; i++) sum += expf(in[i * %d] - most);", count, step)
  f:add(n.op == "softmax"
    and "for (int i = 0; i < %d; i++) out[i * %d] = expf(in[i * %d] - most) / sum;"
    or "for (int i = 0; i < %d; i++) out[i * %d] = in[i * %d] - most - logf(sum);", count, step,
    step)
  f:close(2)
end

ops.softmax, ops.log_softmax = softmax, softmax

-- Elements that stand before one of their line are counted instead of sorted: no memory is needed.
function ops.sparsemax(f, n, s)
  local count, step = lines(f, s.inputs[1], n.ints[1])
  f:add("float *out = y1 + r * %d + c, sum = 0.0f, support = 0.0f;", count * step)
  f:each("i", count)
  f:add("float rank = 1.0f, running = in[i * %d];", step)
  f:each("j", count)
  f:add("const float v = in[i * %d], w = in[j * %d];", step, step)
  f:add "if (w > v || (w == v && j < i)) rank += 1.0f, running += w;"
  f:close()
  f:add("if (in[i * %d] > (running - 1.0f) / rank) sum += running, support += 1.0f;", step)
  f:close()
  f:each("i", count)
  f:add("const float v = in[i * %d] - (sum - 1.0f) / support;", step)
  f:add("out[i * %d] = v > 0.0f ? v : 0.0f;", step)
  f:close(3)
end

local function arg(f, n, s)
  local count, step = lines(f, s.inputs[1], n.ints[1])
  f:add "int best = 0;"
  f:add("for (int i = 1; i < %d; i++) if (in[i * %d] %s in[best * %d]) best = i;", count, step,
    n.op == "argmax" and ">" or "<", step)
  f:add("y1[r * %d + c] = (float)(best + %d);", step, n.ints[3])
  f:close(2)
end

ops.argmax, ops.argmin = arg, arg

local function scan(f, n, s)
  local count, step = lines(f, s.inputs[1], n.ints[1])
  f:add("float all = %s;", n.op == "cumsum" and "0.0f" or "1.0f")
  f:each("i", count)
  f:add("all %s in[i * %d];", n.op == "cumsum" and "+=" or "*=", step)
  f:add("y1[r * %d + c + i * %d] = all;", count * step, step)
  f:close(3)
end

ops.cumsum, ops.cumprod = scan, scan

-- Every element counts those that stand before it: its place in the sorted line.
local function sorted(f, shape, axis, keep, down, base)
  local count, step = lines(f, shape, axis)
  f:each("i", count)
  f:add("int place = 0;")
  f:each("j", count)
  f:add("const float v = in[i * %d], w = in[j * %d];", step, step)
  f:add("if (w %s v || (w == v && j < i)) place++;", down and ">" or "<")
  f:close()
  f:add("if (place >= %d) continue;", keep)
  f:add("y1[r * %d + c + place * %d] = in[i * %d];", keep * step, step, step)
  f:add("y2[r * %d + c + place * %d] = (float)(i + %d);", keep * step, step, base)
  f:close(3)
end

function ops.sort(f, n, s)
  local shape = s.inputs[1]
  sorted(f, shape, n.ints[1], shape[n.ints[1] + 1], n.ints[2] ~= 0, n.ints[3])
end

function ops.top_k(f, n, s)
  sorted(f, s.inputs[1], #s.inputs[1] - 1, n.ints[1], true, n.ints[2])
end

-- normalizations over the last axes ---------------------------------------------------------------

local function row_norm(f, n, s)
  local shape, centered = s.inputs[1], n.op == "layer_norm"
  local count = product(shape, #shape - n.ints[1] + 1)
  f:each("r", product(shape) // count)
  f:add("const float *in = x1 + r * %d;", count)
  f:add(centered and "float mean = 0.0f, square = 0.0f;" or "float square = 0.0f;")
  if centered then
    f:add("for (int i = 0; i < %d; i++) mean += in[i] / %d.0f;", count, count)
  end
  local v = centered and "(in[i] - mean)" or "in[i]"
  f:add("for (int i = 0; i < %d; i++) square += %s * %s / %d.0f;", count, v, v, count)
  f:add("const float scale = 1.0f / sqrtf(square + %s);", number(n.floats[1]))
  local at, more = 2, ""
  if n.ints[2] & 1 ~= 0 then more, at = " * x2[i]", 3 end
  if n.ints[2] & 2 ~= 0 then more = more .. (" + x%d[i]"):format(at) end
  f:add("for (int i = 0; i < %d; i++) y1[r * %d + i] = %s * scale%s;", count, count, v, more)
  f:close()
end

ops.layer_norm, ops.rms_norm = row_norm, row_norm

return ops
