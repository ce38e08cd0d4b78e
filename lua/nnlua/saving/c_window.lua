-- Convolutions and pooling in C: plain loops over one to three axes, channels last. See c_ops.lua.

local text = require "nnlua.saving.c_text"

local product = text.product

local ops = {}

local acts = {[0] = "v", "v > 0.0f ? v : 0.0f", "1.0f / (1.0f + expf(-v))", "tanhf(v)"}

-- What stands in the attributes, by axis.
local function geometry(n, size)
  local g = {axes = n.ints[1], size = size}
  for name, first in pairs {stride = 1, dilation = 4, before = 7} do
    g[name] = table.move(n.ints, first + 1, first + g.axes, 1, {})
  end
  return g
end

-- A place in an array (batch, axes..., channels), from the names of its counters.
local function place(shape, names, channel)
  local out = names[0]
  for i = 1, #shape - 2 do out = ("(%s) * %d + %s"):format(out, shape[i + 1], names[i]) end
  return ("(%s) * %d + %s"):format(out, shape[#shape], channel)
end

local function counters(letter, axes)
  local names = {[0] = "n"}
  for i = 1, axes do names[i] = letter .. i end
  return names
end

-- Loops over the images and places of an array.
local function each_place(f, shape, letter)
  f:each("n", shape[1])
  for i = 1, #shape - 2 do f:each(letter .. i, shape[i + 1]) end
  return #shape - 1
end

-- Loops over a window at the place o...; p... are the places in an array of that shape.
local function each_in_window(f, g, shape)
  for i = 1, g.axes do
    f:each("k" .. i, g.size[i])
    f:add("const int p%d = o%d * %d - %d + k%d * %d;", i, i, g.stride[i], g.before[i], i,
      g.dilation[i])
    f:add("if (p%d < 0 || p%d >= %d) continue;", i, i, shape[i + 1])
  end
  return g.axes
end

local function kernel_place(g, more, inner)
  local out = "k1"
  for i = 2, g.axes do out = ("(%s) * %d + k%d"):format(out, g.size[i], i) end
  for i, name in ipairs(more) do out = ("(%s) * %d + %s"):format(out, inner[i], name) end
  return out
end

function ops.conv(f, n, s)
  local x, kernel, out = s.inputs[1], s.inputs[2], s.out[1]
  local g = geometry(n, kernel)
  local part, filters = kernel[#kernel - 1], kernel[#kernel]
  local outer = each_place(f, out, "o")
  f:each("c", filters)
  f:add("float v = %s;", #s.inputs == 3 and "x3[c]" or "0.0f")
  local loops = each_in_window(f, g, x)
  f:each("i", part)
  local group = filters // n.ints[14]
  local channel = n.ints[14] == 1 and "i" or ("c / %d * %d + i"):format(group, part)
  f:add("v += x1[%s] *", place(x, counters("p", g.axes), channel))
  f:add("     x2[%s];", kernel_place(g, {"i", "c"}, {part, filters}))
  f:close(1 + loops)
  f:add("y1[%s] = %s;", place(out, counters("o", g.axes), "c"), acts[n.ints[15]])
  f:close(1 + outer)
end

-- Every element of x goes to the places of y that the convolution from y to x would read.
function ops.conv_transpose(f, n, s)
  local x, kernel, out = s.inputs[1], s.inputs[2], s.out[1]
  local g = geometry(n, kernel)
  local channels, filters = kernel[#kernel - 1], kernel[#kernel]
  f:add("for (int i = 0; i < %d; i++) y1[i] = 0.0f;", product(out))
  local outer = each_place(f, x, "o")
  local loops = each_in_window(f, g, out)
  f:each("c", channels)
  f:each("i", filters)
  f:add("y1[%s] += x1[%s] *", place(out, counters("p", g.axes), "c"),
    place(x, counters("o", g.axes), "i"))
  f:add("  x2[%s];", kernel_place(g, {"c", "i"}, {channels, filters}))
  f:close(2 + loops + outer)
end

-- Cell o of `cells` over n elements: from floor(o n / cells) to before ceil((o + 1) n / cells).
local function each_in_cell(f, x, out)
  for i = 1, #x - 2 do
    local size, cells = x[i + 1], out[i + 1]
    f:open("for (int p%d = o%d * %d / %d; p%d < ((o%d + 1) * %d + %d) / %d; p%d++)", i, i, size,
      cells, i, i, size, cells - 1, cells, i)
  end
  return #x - 2
end

local function pool(f, n, s)
  local x, out, most = s.inputs[1], s.out[1], n.op == "max_pool"
  local g = geometry(n, table.move(n.ints, 14, 16, 1, {}))
  local outer = each_place(f, out, "o")
  f:each("c", out[#out])
  f:add(most and "float v = -INFINITY;" or "float v = 0.0f, count = 0.0f;")
  local loops = n.ints[17] ~= 0 and each_in_cell(f, x, out) or each_in_window(f, g, x)
  f:add("const float w = x1[%s];", place(x, counters("p", g.axes), "c"))
  f:add(most and "if (w > v) v = w;" or "v += w, count += 1.0f;")
  f:close(loops)
  f:add("y1[%s] = %s;", place(out, counters("o", g.axes), "c"), most and "v" or "v / count")
  f:close(1 + outer)
end

ops.max_pool, ops.avg_pool = pool, pool

return ops
