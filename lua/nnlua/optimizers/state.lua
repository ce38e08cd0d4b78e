-- The optimizer's own variables in Keras's order: iteration, learning_rate, averages, accumulators,
-- slots. Those of built-in optimizers are views into the memory that the step works on.

local core = require "nnlua.core"
local Variable = require "nnlua.variable"
local class = require "nnlua.class"
local err = require "nnlua.err"

local state = {}

--- A variable whose value is read and written by functions.
local Scalar = Variable:extend("OptimizerScalar")

Scalar.getters.tensor = function(self) return core.new(self.read(), self.element) end

function Scalar:assign(value)
  if class.is(value, Variable) then value = value.tensor end
  if core.is_tensor(value) then value = value:item() end
  self.write(value)
  return self
end

--- A variable over the memory of `tensor`.
function state.over(tensor, name, path)
  return setmetatable({tensor = tensor, name = name, path = path, trainable = false}, Variable)
end

--- A scalar variable; element: its dtype.
function state.scalar(name, path, element, read, write)
  return setmetatable({name = name, path = path, element = element, read = read, write = write,
    trainable = false}, Scalar)
end

--- The name of a slot: the variable's path with "_" for "/", then the slot's name.
function state.slot_name(variable, slot)
  local path = core.is_tensor(variable) and "variable" or variable.path or variable.name
  return (path:gsub("/", "_")) .. "_" .. slot
end

--- The tensor of a variable (a bare tensor is its own).
function state.tensor(v)
  if core.is_tensor(v) then return v end
  return type(v) == "table" and v.tensor or nil
end

--- True when one of the patterns occurs in `text`: as plain text, or as a Lua pattern.
function state.matches(text, patterns)
  for _, p in ipairs(patterns or {}) do
    if text:find(p, 1, true) then return true end
    local ok, found = pcall(string.find, text, p)
    if ok and found then return true end
  end
  return false
end

-- Views of one kind ("ema", "accumulator") for all variables.
local function flat(o, list, method, suffix)
  for i, v in ipairs(o.trainable_variables) do
    local view = o.native[method](o.native, i)
    if view then
      local name = state.slot_name(v, suffix)
      list[#list + 1] = state.over(view, name, o.name .. "/" .. name)
    end
  end
end

-- Slots made together are interleaved by variable. `false` for a name: named like the variable.
local function slots(o, list)
  local first = 0
  for _, group in ipairs(o.slots or {}) do
    for i, v in ipairs(o.trainable_variables) do
      for k, suffix in ipairs(group) do
        local view = o.native:slot(i, first + k)
        local name = suffix and state.slot_name(v, suffix) or v.name
        if view then list[#list + 1] = state.over(view, name, o.name .. "/" .. name) end
      end
    end
    first = first + #group
  end
end

--- The averages of the variables (with use_ema), in their order.
function state.averages(o)
  local list = {}
  if o.native then
    if o.use_ema then flat(o, list, "ema", "average") end
    return list
  end
  return table.move(o.own_averages or {}, 1, #(o.own_averages or {}), 1, list)
end

local function set_calls(o, n)
  local calls = math.tointeger(n)
  if not calls or calls < 0 then
    err.raise("%s: iteration is %s, expected an integer of 0 or more", o.class_name, tostring(n))
  end
  o.calls = calls
end

--- All variables of an optimizer.
function state.list(o)
  local list = {
    state.scalar("iteration", o.name .. "/iteration", "int32",
      function() return o.calls end, function(n) set_calls(o, n) end),
  }
  if type(o.rate_source) == "number" then
    list[2] = state.scalar("learning_rate", o.name .. "/learning_rate", "float32",
      function() return o.learning_rate end, function(x) o.learning_rate = x end)
  end
  for _, v in ipairs(state.averages(o)) do list[#list + 1] = v end
  if o.native then
    flat(o, list, "accumulator", "gradient_accumulator")
    slots(o, list)
  end
  for _, v in ipairs(o.own_accumulators or {}) do list[#list + 1] = v end
  for _, v in ipairs(o.own_variables or {}) do list[#list + 1] = v end
  return list
end

--- Writes a list of values into the optimizer's variables.
function state.set(o, values)
  local list = o.variables
  if #values ~= #list then
    err.raise("%s: set_weights got %d values, expected %d", o.class_name, #values, #list)
  end
  for i, v in ipairs(list) do v:assign(values[i]) end
end

return state
