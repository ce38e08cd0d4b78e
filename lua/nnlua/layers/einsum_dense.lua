-- EinsumDense: y = activation(einsum(equation, x, kernel) + bias). The letters of the equation give
-- the kernel's shape: from the output where they occur there, else from the input.

local args = require "nnlua.args"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local EinsumDense = Layer:extend("EinsumDense", {
  args = [[equation, output_shape, activation=None, bias_axes=None,
    kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None,
    bias_regularizer=None, kernel_constraint=None, bias_constraint=None, lora_rank=None,
    lora_alpha=None, gptq_unpacked_column_size=None, quantization_config=None]],
})

function EinsumDense:init(a)
  err.check(type(a.equation) == "string", "EinsumDense: equation is %s, expected a string",
    err.show(a.equation))
  err.check(not a.lora_rank, "EinsumDense: lora_rank is not supported")
  Layer.init(self, a)
  self.equation, self.bias_axes = a.equation, a.bias_axes
  -- stored as `output_sizes`: a holed list becomes false where the input's size is taken over
  local given = a.output_shape
  self.output_shape = type(given) == "number" and {given} or shapes.clean(given)
  self.activation = require("nnlua.activations").get(a.activation)
  parts.keep(self, a, {"kernel", "bias"})
end

local function bad_equation(self)
  err.raise("EinsumDense: equation '%s', expected a form like 'ab,bc->ac', '...a,ab->...b' or "
    .. "'ab...,bc->ac...'", self.equation)
end

-- The letters of the three terms without the dots, and where the dots stand ("left", "right", nil).
local function parse(self)
  local text = self.equation:gsub("%s", "")
  local x, w, y = text:match("^([%a%.]+),(%a+)%->([%a%.]+)$")
  if not x then bad_equation(self) end
  local dots
  if x:find("^%.%.%.%a*$") and y:find("^%.%.%.%a*$") then
    dots, x, y = "left", x:sub(4), y:sub(4)
  elseif x:find("^%a*%.%.%.$") and y:find("^%a*%.%.%.$") then
    dots, x, y = "right", x:sub(1, -4), y:sub(1, -4)
  end
  if x:find(".", 1, true) or y:find(".", 1, true) then bad_equation(self) end
  return x, w, y, dots
end

-- letter -> size from the last (dots left) or first letters of a term and a shape.
local function sizes_of(self, letters, shape, dots, what)
  if #letters > #shape or (not dots and #letters ~= #shape) then
    err.raise("EinsumDense: the %s %s does not have the axes '%s' of the equation '%s'", what,
      shapes.text(shape, "batch"), letters, self.equation)
  end
  local out, shift = {}, dots == "left" and #shape - #letters or 0
  for i = 1, #letters do out[letters:sub(i, i)] = shape[i + shift] or false end
  return out
end

-- The full output shape: batch and unknown sizes come from the input where letters agree.
local function full_output(self, input_shape, x, y, dots)
  local given = self.output_shape
  local out = {input_shape[1]}
  if dots == "left" then
    local elided = #input_shape - #x -- the dots' axes, the batch among them
    out = {}
    for i = 1, elided do out[i] = input_shape[i] end
    local kept = given
    if #given > #y then kept = table.move(given, #given - #y + 1, #given, 1, {}) end
    for i = 1, #kept do out[#out + 1] = kept[i] end
  elseif dots == "right" then
    for i = 1, #given do out[#out + 1] = given[i] end
    for i = #x + 1, #input_shape do out[#out + 1] = input_shape[i] end
  else
    for i = 1, #given do out[#out + 1] = given[i] end
  end
  return out
end

local function fill_unknown(out, y, dots, from_input)
  local shift = dots == "left" and #out - #y or 0
  for i = 1, #y do
    if not out[i + shift] then out[i + shift] = from_input[y:sub(i, i)] or false end
  end
  return out
end

--- The output shape and kernel and bias shapes for an input shape.
local function analyze(self, input_shape)
  local x, w, y, dots = parse(self)
  local of_input = sizes_of(self, x, input_shape, dots, "input")
  local output = fill_unknown(full_output(self, input_shape, x, y, dots), y, dots, of_input)
  local of_output = sizes_of(self, y, output, dots, "output")
  local kernel = {}
  for i = 1, #w do
    local letter = w:sub(i, i)
    local size = of_output[letter]
    if size == nil then size = of_input[letter] end
    if of_input[letter] and of_output[letter] and of_input[letter] ~= of_output[letter] then
      err.raise("EinsumDense: axis '%s' is %d in the input but %d in output_shape", letter,
        of_input[letter], of_output[letter])
    end
    err.check(size, "EinsumDense: the size of the kernel's axis '%s' is unknown", letter)
    kernel[i] = size
  end
  return {x = x, w = w, y = y, dots = dots, output = output, of_output = of_output,
    kernel = kernel}
end

local function bias_shape(self, plan)
  local first
  for i = 1, #plan.y do
    if self.bias_axes:find(plan.y:sub(i, i), 1, true) then
      first = i
      break
    end
  end
  for letter in self.bias_axes:gmatch "." do
    err.check(plan.y:find(letter, 1, true), "EinsumDense: bias axis '%s' is not in the output '%s'",
      letter, plan.y)
  end
  local out = {}
  for i = first or 1, #plan.y do
    local letter = plan.y:sub(i, i)
    out[#out + 1] = self.bias_axes:find(letter, 1, true) and plan.of_output[letter] or 1
  end
  for _ = 1, plan.dots == "right" and #plan.output - #plan.y or 0 do out[#out + 1] = 1 end
  return out
end

-- Fans by meaning: kernel axes that the output has are outputs, the others inputs.
local function with_fans(initializer, plan)
  local scaling = require("nnlua.initializers").VarianceScaling
  if not require("nnlua.class").is(initializer, scaling) or initializer.input_axes then
    return initializer
  end
  local input_axes, output_axes = {}, {}
  for i = 1, #plan.w do
    local side = plan.y:find(plan.w:sub(i, i), 1, true) and output_axes or input_axes
    side[#side + 1] = i
  end
  return setmetatable({input_axes = input_axes, output_axes = output_axes}, {
    __index = initializer,
    __call = function(self, ...) return getmetatable(initializer).__call(self, ...) end,
  })
end

function EinsumDense:build(input_shape)
  local plan = analyze(self, input_shape)
  self.kernel = parts.add(self, "kernel", plan.kernel, nil,
    with_fans(self.kernel_initializer, plan))
  if self.bias_axes then self.bias = parts.add(self, "bias", bias_shape(self, plan)) end
end

function EinsumDense:call(x)
  local y = require("nnlua.ops").einsum(self.equation, x, self.kernel.tensor)
  if self.bias then y = y + self.bias.tensor end
  return self.activation and self.activation(y) or y
end

function EinsumDense:compute_output_shape(input_shape) return analyze(self, input_shape).output end

function EinsumDense:output_spec(input_shape)
  return {shape = self:compute_output_shape(input_shape), dtype = "float32", leaf = true}
end

function EinsumDense:get_config()
  local config = Layer.get_config(self)
  config.lora_rank, config.lora_alpha, config.gptq_unpacked_column_size = nil, nil, nil
  config.quantization_config = args.None
  config.activity_regularizer = self.activity_regularizer or args.None
  return config
end

return EinsumDense
