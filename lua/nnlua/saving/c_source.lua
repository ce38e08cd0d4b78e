-- model:export("net.c"): one C file with the weights and
--
--   void predict(const float *x, float *y);
--
-- for one row (several inputs and outputs: one pointer each, in the model's order). C99 and math.h;
-- no memory is asked for. The numbers are written so that they read back to the same float. Each op
-- is a function (c_ops.lua), those of one text the same; values that are no longer needed give
-- their memory to later ones.

local core = require "nnlua.core"
local calls = require "nnlua.saving.c_calls"
local err = require "nnlua.err"
local ops = require "nnlua.saving.c_ops"
local text = require "nnlua.saving.c_text"
local trace = require "nnlua.saving.trace"

local format = {}

local product, number = text.product, text.number

-- weights -----------------------------------------------------------------------------------------

-- The name of the array with the numbers of a value; equal ones are written once.
local function array(self, v)
  if self.names[v] then return self.names[v] end
  local list, lines = trace.flat(self.net.values[v].data), {}
  for i = 1, #list, 6 do
    local row = {}
    for k = i, math.min(#list, i + 5) do row[#row + 1] = number(list[k]) end
    lines[#lines + 1] = "  " .. table.concat(row, ", ")
  end
  local numbers = table.concat(lines, ",\n")
  local name = self.arrays[numbers]
  if not name then
    name = "w" .. #self.data + 1
    self.data[#self.data + 1] = ("static const float %s[%d] = {\n%s};\n"):format(name, #list,
      numbers)
    self.arrays[numbers] = name
  end
  self.names[v] = name
  return name
end

-- memory ------------------------------------------------------------------------------------------

-- A slice that is one stretch of its input: where it begins, nil for others.
local function stretch(from, out, ints)
  local start, at, inside = 0, 1, false
  for i = #from, 1, -1 do
    local whole = out[i] == from[i]
    if out[i] > 1 and ints[16 + i] ~= 1 or inside and out[i] > 1 then return nil end
    if not whole then inside = true end
    start, at = start + at * ints[i], at * from[i]
  end
  return start
end

-- A transposition that moves axes of one element alone.
local function keeps_order(shape, order)
  local last = -1
  for i = 1, #shape do
    if shape[order[i] + 1] ~= 1 then
      if order[i] < last then return false end
      last = order[i]
    end
  end
  return true
end

-- Where the output begins in the input, for ops that only look at it otherwise; nil for others.
local function looks_at(self, n)
  local from, to = self.net.values[n.inputs[1]], self.net.values[n.outputs[1]]
  if n.op == "reshape" or n.op == "copy" or n.op == "stop_gradient" then return 0 end
  if n.op == "broadcast_to" and product(from.shape) == product(to.shape) then return 0 end
  if n.op == "transpose" then return keeps_order(from.shape, n.ints) and 0 or nil end
  if n.op == "slice" then return stretch(from.shape, to.shape, n.ints) end
  if n.op ~= "cast" then return nil end
  local same = from.dtype == to.dtype or to.dtype == "float32" or from.dtype == "uint8"
  return same and 0 or nil
end

-- The value that holds the elements of v, and where they begin in it.
local function root(self, v)
  local at = 0
  while self.alias[v] do
    at = at + self.alias[v].at
    v = self.alias[v].of
  end
  return v, at
end

-- When each value is needed for the last time, by the number of the node.
local function last_uses(self)
  local last = {}
  for i, n in ipairs(self.net.nodes) do
    local at = looks_at(self, n)
    if at then self.alias[n.outputs[1]] = {of = n.inputs[1], at = at} end
    for _, v in ipairs(n.inputs) do last[(root(self, v))] = i end
    for _, v in ipairs(n.outputs) do last[v] = last[v] or i end
  end
  for _, v in ipairs(self.net.outputs) do last[(root(self, v))] = #self.net.nodes + 1 end
  return last
end

-- The first gap that holds `size` floats; blocks are sorted by where they begin.
local function place(self, v, size)
  local at, where = 0, #self.blocks + 1
  for i, block in ipairs(self.blocks) do
    if block.at - at >= size then
      where = i
      break
    end
    at = block.at + block.size
  end
  table.insert(self.blocks, where, {at = at, size = size, value = v})
  self.memory = math.max(self.memory, at + size)
  return at
end

local function free(self, last, step)
  for i = #self.blocks, 1, -1 do
    if last[self.blocks[i].value] <= step then table.remove(self.blocks, i) end
  end
end

-- {base=, at=}: the array that holds a value and where it begins there.
local function argument(self, v)
  local of, at = root(self, v)
  if self.net.values[of].data then return {base = array(self, of), at = at} end
  if self.places[of] then return {base = "memory", at = self.places[of] + at} end
  return {base = self.names[of], at = at}
end

-- functions ---------------------------------------------------------------------------------------

local function shapes_of(self, n, count)
  local s = {inputs = {}, dtypes = {}, out = {}}
  for i = 1, count do
    local value = self.net.values[n.inputs[i]]
    s.inputs[i], s.dtypes[i] = value.shape, value.dtype
  end
  for i, v in ipairs(n.outputs) do s.out[i] = self.net.values[v].shape end
  return s
end

-- The name of a function with that body, a new one where there is none.
local function function_of(self, op, parameters, lines)
  local key = parameters .. "\n" .. lines
  local name = self.functions[key]
  if name then return name end
  self.numbers[op] = (self.numbers[op] or 0) + 1
  name = ("nn_%s_%d"):format(op, self.numbers[op])
  self.functions[key] = name
  self.code[#self.code + 1] = ("static void %s(%s) {\n%s\n}\n"):format(name, parameters, lines)
  return name
end

local function parameters_of(inputs, outputs)
  local list = {}
  for i = 1, inputs do list[i] = "const float *x" .. i end
  for i = 1, outputs do list[#list + 1] = "float *y" .. i end
  return table.concat(list, ", ")
end

local function call(self, n, last, step)
  local op = ops[n.op]
  if not op then trace.refuse(self.net, n) end
  local why = type(op) == "table" and op.refuse(n)
  if why then trace.refuse(self.net, n, why) end
  local count = n.op == "embedding" and 2 or #n.inputs -- the third is for training
  local body, given = text.body(), {}
  local write = type(op) == "table" and op.write or op
  write(body, n, shapes_of(self, n, count))
  for i = 1, count do given[i] = argument(self, n.inputs[i]) end
  for _, v in ipairs(n.outputs) do
    self.places[v] = place(self, v, product(self.net.values[v].shape))
    given[#given + 1] = argument(self, v)
  end
  given.name = function_of(self, n.op, parameters_of(count, #n.outputs),
    table.concat(body.lines, "\n"))
  self.calls[#self.calls + 1] = given
  free(self, last, step)
end

-- the file ----------------------------------------------------------------------------------------

-- C names of inputs and outputs: x and y, numbered where there are several.
local function pointers(list, letter)
  local names = {}
  for i in ipairs(list) do names[i] = #list == 1 and letter or letter .. i end
  return names
end

local function head(net, xs, ys)
  local lines = {}
  local function tell(list, names, what)
    for i, v in ipairs(list) do
      local shape = net.values[v].shape
      lines[#lines + 1] = (" *   %s: %s, %d numbers (%s)"):format(names[i], what, product(shape),
        table.concat(shape, " x ", math.min(2, #shape)))
    end
  end
  tell(net.inputs, xs, "input")
  tell(net.outputs, ys, "output")
  return ("/* A neural network, written by nnlua: predict computes one row.\n *\n%s\n *\n"
    .. " * Intermediate values are static: one call at a time. Needs C99 and libm. */\n"
    .. "#include <math.h>\n\n"):format(table.concat(lines, "\n"))
end

local function signature(xs, ys)
  local parameters = {}
  for _, x in ipairs(xs) do parameters[#parameters + 1] = "const float *" .. x end
  for _, y in ipairs(ys) do parameters[#parameters + 1] = "float *" .. y end
  return ("void predict(%s)"):format(table.concat(parameters, ", "))
end

--- The C source of a model.
function format.source(model, where)
  local net = trace.net(model, where)
  local xs, ys = pointers(net.inputs, "x"), pointers(net.outputs, "y")
  local self = {net = net, names = {}, places = {}, alias = {}, arrays = {},
    data = {}, blocks = {}, memory = 0, functions = {}, numbers = {}, code = {}, calls = {}}
  for i, v in ipairs(net.inputs) do self.names[v] = xs[i] end
  local last = last_uses(self)
  for i, n in ipairs(net.nodes) do
    if not self.alias[n.outputs[1]] then call(self, n, last, i) end
  end
  local lines = calls.text(self.calls)
  for i, v in ipairs(net.outputs) do
    lines[#lines + 1] = ("  for (int i = 0; i < %d; i++) %s[i] = (%s)[i];"):format(
      product(net.values[v].shape), ys[i], calls.pointer(argument(self, v)))
  end
  local memory = self.memory > 0 and ("  static float memory[%d];\n"):format(self.memory) or ""
  return table.concat{head(net, xs, ys), signature(xs, ys), ";\n\n",
    table.concat(self.data, "\n"), "\n", table.concat(self.code, "\n"), "\n", signature(xs, ys),
    " {\n", memory, table.concat(lines, "\n"), "\n}\n"}
end

function format.export(model, path)
  local source = format.source(model, "export: " .. path)
  local ok, message = core.sys.fsync_write(path, source)
  if not ok then err.raise("export: %s", message) end
end

return format
