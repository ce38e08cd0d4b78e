-- Convolutions and pooling in C: plain loops over two axes; one axis is the second of two.

local windows = {}

-- A list of one axis as the second of two.
local function two(list, rank, first)
  if rank == 2 then return list end
  return {first, list[1]}
end

local function sizes(step, x)
  local rank = step.rank
  local shape = rank == 2 and x or {1, x[1], x[2]}
  local out = step.output.shape
  return shape, rank == 2 and out or {1, out[1], out[2]}
end

-- The lines of both loops over the window; inside, h and w are a place that exists.
local function each_place(add, self, step, shape, indent)
  local size, before = two(step.size, step.rank, 1), two(step.before, step.rank, 0)
  local strides = two(step.strides, step.rank, 1)
  local dilation = two(step.dilation or {1, 1}, step.rank, 1)
  add(self, indent .. "for (int a = 0; a < %d; a++)", size[1])
  add(self, indent .. "  for (int b = 0; b < %d; b++) {", size[2])
  add(self, indent .. "    const int h = r * %d - %d + a * %d, w = q * %d - %d + b * %d;",
    strides[1], before[1], dilation[1], strides[2], before[2], dilation[2])
  add(self, indent .. "    if (h < 0 || h >= %d || w < 0 || w >= %d) continue;", shape[1], shape[2])
end

function windows.add(steps, add, array)
  function steps.conv(self, step, x, y)
    local shape, out = sizes(step, step.inputs[1].shape)
    local kernel, bias = array(self, step.kernel), step.bias and array(self, step.bias)
    local part = step.channels // step.groups
    add(self, "for (int r = 0; r < %d; r++)", out[1])
    add(self, "  for (int q = 0; q < %d; q++)", out[2])
    add(self, "    for (int o = 0; o < %d; o++) {", step.filters)
    add(self, "      float v = %s;", bias and bias .. "[o]" or "0.0f")
    each_place(add, self, step, shape, "      ")
    add(self, "          for (int i = 0; i < %d; i++)", part)
    add(self, "            v += %s[(h * %d + w) * %d + o / %d * %d + i] *", x, shape[2],
      step.channels, step.filters // step.groups, part)
    add(self, "                 %s[((a * %d + b) * %d + i) * %d + o];", kernel,
      two(step.size, step.rank, 1)[2], part, step.filters)
    add(self, "        }")
    add(self, "      %s[(r * %d + q) * %d + o] = v;", y, out[2], step.filters)
    add(self, "    }")
  end

  function steps.pool(self, step, x, y)
    local shape, out = sizes(step, step.inputs[1].shape)
    local most = step.kind == "max"
    add(self, "for (int r = 0; r < %d; r++)", out[1])
    add(self, "  for (int q = 0; q < %d; q++)", out[2])
    add(self, "    for (int o = 0; o < %d; o++) {", out[3])
    add(self, most and "      float v = -INFINITY;" or "      float v = 0.0f, n = 0.0f;")
    each_place(add, self, step, shape, "      ")
    local cell = ("%s[(h * %d + w) * %d + o]"):format(x, shape[2], out[3])
    add(self, "          %s", most and ("if (%s > v) v = %s;"):format(cell, cell)
      or ("v += %s, n += 1.0f;"):format(cell))
    add(self, "        }")
    add(self, "      %s[(r * %d + q) * %d + o] = %s;", y, out[2], out[3], most and "v" or "v / n")
    add(self, "    }")
  end

  function steps.global_pool(self, step, x, y)
    local from, channels, cells = step.inputs[1].shape, step.output.shape[1], 1
    for i = 1, step.rank do cells = cells * from[i] end
    add(self, "for (int o = 0; o < %d; o++) {", channels)
    add(self, "  float v = %s;", step.kind == "max" and "-INFINITY" or "0.0f")
    add(self, "  for (int i = 0; i < %d; i++) %s;", cells, step.kind == "max"
      and ("if (%s[i * %d + o] > v) v = %s[i * %d + o]"):format(x, channels, x, channels)
      or ("v += %s[i * %d + o]"):format(x, channels))
    add(self, "  %s[o] = %s;", y, step.kind == "max" and "v" or ("v / %d.0f"):format(cells))
    add(self, "}")
  end
end

return windows
