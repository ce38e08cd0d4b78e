-- model:export("net.c"): one C file with the weights and
--
--   void predict(const float *x, float *y);
--
-- for one row (several inputs and outputs: one pointer each, in the model's order). C99 and math.h;
-- no memory is asked for. The numbers are written so that they read back to the same float.

local core = require "nnlua.core"
local err = require "nnlua.err"
local lower = require "nnlua.saving.lower"

local format = {}

-- text --------------------------------------------------------------------------------------------

local function number(v)
  if v ~= v then return "NAN" end
  if v == math.huge then return "INFINITY" elseif v == -math.huge then return "-INFINITY" end
  local text = ("%.9g"):format(v)
  if not text:find "[%.e]" then text = text .. ".0" end
  return text .. "f"
end

local function product(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

local function add(self, fmt, ...)
  self.code[#self.code + 1] = "  " .. (select("#", ...) > 0 and fmt:format(...) or fmt)
end

local function array(self, list)
  self.arrays = self.arrays + 1
  local name, lines = "w" .. self.arrays, {}
  for i = 1, #list, 6 do
    local row = {}
    for k = i, math.min(#list, i + 5) do row[#row + 1] = number(list[k]) end
    lines[#lines + 1] = "  " .. table.concat(row, ", ")
  end
  self.data[#self.data + 1] = ("static const float %s[%d] = {\n%s};\n"):format(name, #list,
    table.concat(lines, ",\n"))
  return name
end

-- one number --------------------------------------------------------------------------------------

local functions = {
  sigmoid = "1.0f / (1.0f + expf(-v))", tanh = "tanhf(v)", exponential = "expf(v)",
  softplus = "(v > 0.0f ? v : 0.0f) + log1pf(expf(-fabsf(v)))", softsign = "v / (1.0f + fabsf(v))",
  relu6 = "v < 0.0f ? 0.0f : v > 6.0f ? 6.0f : v", silu = "v / (1.0f + expf(-v))",
  hard_sigmoid = "v <= -3.0f ? 0.0f : v >= 3.0f ? 1.0f : (v + 3.0f) / 6.0f",
  hard_silu = "v * (v <= -3.0f ? 0.0f : v >= 3.0f ? 1.0f : (v + 3.0f) / 6.0f)",
  hard_tanh = "v < -1.0f ? -1.0f : v > 1.0f ? 1.0f : v",
  selu = "1.05070099f * (v > 0.0f ? v : 1.67326324f * expm1f(v))",
  celu = "v > 0.0f ? v : expm1f(v)", gelu = "0.5f * v * (1.0f + erff(v * 0.707106781f))",
  mish = "v * tanhf((v > 0.0f ? v : 0.0f) + log1pf(expf(-fabsf(v))))",
  log_sigmoid = "-((v < 0.0f ? -v : 0.0f) + log1pf(expf(-fabsf(v))))",
  tanh_shrink = "v - tanhf(v)", squareplus = "0.5f * (v + sqrtf(v * v + 4.0f))",
}
functions.swish, functions.hard_swish = functions.silu, functions.hard_silu

local function expression(self, step)
  if step.name == "relu" then
    local slope, limit = step.alpha or 0, step.threshold or 0
    local low = slope == 0 and "0.0f" or ("%s * (v - %s)"):format(number(slope), number(limit))
    if step.ceiling then
      return ("v < %s ? %s : v > %s ? %s : v"):format(number(limit), low, number(step.ceiling),
        number(step.ceiling))
    end
    return ("v %s %s ? v : %s"):format(limit == 0 and ">" or ">=", number(limit), low)
  elseif step.name == "leaky_relu" then
    return ("v > 0.0f ? v : %s * v"):format(number(step.alpha or 0.2))
  elseif step.name == "elu" then
    return ("v > 0.0f ? v : %s * expm1f(v)"):format(number(step.alpha or 1))
  end
  return functions[step.name] or err.raise("%s: the activation '%s' cannot be exported", self.where,
    step.name)
end

-- steps -------------------------------------------------------------------------------------------

local steps = {}

function steps.dense(self, step, x, y)
  local rows = product(step.inputs[1].shape) // step.columns
  local kernel, bias = array(self, step.kernel), step.bias and array(self, step.bias)
  add(self, "for (int r = 0; r < %d; r++)", rows)
  add(self, "  for (int j = 0; j < %d; j++) {", step.units)
  add(self, "    float v = %s;", bias and bias .. "[j]" or "0.0f")
  add(self, "    for (int i = 0; i < %d; i++) v += %s[r * %d + i] * %s[i * %d + j];", step.columns,
    x, step.columns, kernel, step.units)
  add(self, "    %s[r * %d + j] = v;", y, step.units)
  add(self, "  }")
end

function steps.act(self, step, x, y)
  add(self, "for (int i = 0; i < %d; i++) {", product(step.output.shape))
  add(self, "  const float v = %s[i];", x)
  add(self, "  %s[i] = %s;", y, expression(self, step))
  add(self, "}")
end

local function rows(step)
  local shape = step.output.shape
  return product(shape) // shape[#shape], shape[#shape]
end

function steps.softmax(self, step, x, y)
  local n, columns = rows(step)
  add(self, "for (int r = 0; r < %d; r++) {", n)
  add(self, "  const float *in = %s + r * %d;", x, columns)
  add(self, "  float most = in[0], sum = 0.0f;")
  add(self, "  for (int i = 1; i < %d; i++) if (in[i] > most) most = in[i];", columns)
  add(self, "  for (int i = 0; i < %d; i++) sum += expf(in[i] - most);", columns)
  add(self, step.log and "  for (int i = 0; i < %d; i++) %s[r * %d + i] = in[i] - most - logf(sum);"
    or "  for (int i = 0; i < %d; i++) %s[r * %d + i] = expf(in[i] - most) / sum;", columns, y,
    columns)
  add(self, "}")
end

function steps.affine(self, step, x, y)
  local n, columns = rows(step)
  local scale, offset = array(self, step.scale), array(self, step.offset)
  add(self, "for (int i = 0; i < %d; i++) %s[i] = %s[i] * %s[i %% %d] + %s[i %% %d];", n * columns,
    y, x, scale, columns, offset, columns)
end

function steps.layernorm(self, step, x, y)
  local n, columns = rows(step)
  local gamma, beta = step.gamma and array(self, step.gamma), step.beta and array(self, step.beta)
  local mean_of = step.kind == "unit" and 1 or columns
  add(self, "for (int r = 0; r < %d; r++) {", n)
  add(self, "  const float *in = %s + r * %d;", x, columns)
  add(self, "  float mean = 0.0f, variance = 0.0f;")
  if step.kind == "layer" then
    add(self, "  for (int i = 0; i < %d; i++) mean += in[i] / %d.0f;", columns, columns)
  end
  add(self, "  for (int i = 0; i < %d; i++) variance += (in[i] - mean) * (in[i] - mean) / %d.0f;",
    columns, mean_of)
  add(self, "  const float scale = 1.0f / sqrtf(variance + %s);", number(step.epsilon))
  add(self, "  for (int i = 0; i < %d; i++) %s[r * %d + i] = (in[i] - mean) * scale%s%s;", columns,
    y, columns, gamma and " * " .. gamma .. "[i]" or "", beta and " + " .. beta .. "[i]" or "")
  add(self, "}")
end

local merges = {
  add = "%s + %s", subtract = "%s - %s", multiply = "%s * %s", average = "%s + %s",
  maximum = "fmaxf(%s, %s)", minimum = "fminf(%s, %s)",
}

function steps.merge(self, step, x, y)
  local text = x .. "[i]"
  for k = 2, #step.inputs do
    text = merges[step.kind]:format(text, self.name_of(step.inputs[k]) .. "[i]")
    if k < #step.inputs then text = "(" .. text .. ")" end
  end
  if step.kind == "average" then text = ("(%s) / %d.0f"):format(text, #step.inputs) end
  add(self, "for (int i = 0; i < %d; i++) %s[i] = %s;", product(step.output.shape), y, text)
end

function steps.concat(self, step, _, y)
  local shape, axis = step.output.shape, step.axis
  local outer, inner = 1, 1
  for i = 1, axis - 1 do outer = outer * shape[i] end
  for i = axis + 1, #shape do inner = inner * shape[i] end
  local at = 0
  for _, x in ipairs(step.inputs) do
    local width = x.shape[axis] * inner
    add(self, "for (int r = 0; r < %d; r++)", outer)
    add(self, "  for (int i = 0; i < %d; i++) %s[r * %d + %d + i] = %s[r * %d + i];", width, y,
      shape[axis] * inner, at, self.name_of(x), width)
    at = at + width
  end
end

function steps.reshape(self, step, x, y)
  add(self, "for (int i = 0; i < %d; i++) %s[i] = %s[i];", product(step.output.shape), y, x)
end

function steps.repeat_vector(self, step, x, y)
  local columns = step.inputs[1].shape[1]
  add(self, "for (int i = 0; i < %d; i++) %s[i] = %s[i %% %d];", columns * step.count, y, x,
    columns)
end

function steps.permute(self, step, x, y)
  local shape, from = step.output.shape, step.inputs[1].shape
  local strides, index = {}, {}
  local n = 1
  for i = #from, 1, -1 do strides[i], n = n, n * from[i] end
  local place = {}
  for i, d in ipairs(step.dims) do
    add(self, "%sfor (int i%d = 0; i%d < %d; i%d++)", ("  "):rep(i - 1), i, i, shape[i], i)
    index[i] = ("i%d * %d"):format(i, strides[d])
    place[i] = i == 1 and "i1" or ("(%s) * %d + i%d"):format(place[i - 1], shape[i], i)
  end
  add(self, "%s%s[%s] = %s[%s];", ("  "):rep(#shape), y, place[#shape], x,
    table.concat(index, " + "))
end

function steps.embedding(self, step, x, y)
  local name = array(self, step.table)
  add(self, "for (int r = 0; r < %d; r++) {", product(step.inputs[1].shape))
  add(self, "  int id = (int)%s[r];", x)
  add(self, "  if (id < 0 || id >= %d) id = 0;", step.rows)
  add(self, "  for (int i = 0; i < %d; i++) %s[r * %d + i] = %s[id * %d + i];", step.columns, y,
    step.columns, name, step.columns)
  add(self, "}")
end

function steps.prelu(self, step, x, y)
  local alpha = array(self, step.alpha)
  add(self, "for (int i = 0; i < %d; i++) %s[i] = %s[i] > 0.0f ? %s[i] : %s[i] * %s[i];",
    #step.alpha, y, x, x, alpha, x)
end

require("nnlua.saving.c_window").add(steps, add, array)

-- the file ----------------------------------------------------------------------------------------

-- C names of inputs and outputs: x and y, numbered where there are several.
local function pointers(list, letter)
  local names = {}
  for i in ipairs(list) do names[i] = #list == 1 and letter or letter .. i end
  return names
end

local function names_of(net)
  local names, xs, ys = {}, pointers(net.inputs, "x"), pointers(net.outputs, "y")
  for i, v in ipairs(net.inputs) do names[v.id] = xs[i] end
  return names, xs, ys
end

local function body(self, net, names)
  for _, step in ipairs(net.steps) do
    local y = "v" .. step.output.id
    names[step.output.id] = y
    self.buffers[#self.buffers + 1] = ("  static float %s[%d];"):format(y,
      product(step.output.shape))
    local make = steps[step.op]
    make(self, step, names[step.inputs[1].id], y)
  end
end

local function head(net, xs, ys)
  local lines = {}
  local function tell(list, names, what)
    for i, v in ipairs(list) do
      lines[#lines + 1] = (" *   %s: %s, %d numbers (%s)"):format(names[i], what, product(v.shape),
        table.concat(v.shape, " x "))
    end
  end
  tell(net.inputs, xs, "input")
  tell(net.outputs, ys, "output")
  return ("/* A neural network, written by nnlua: predict computes one row.\n *\n%s\n *\n"
    .. " * Intermediate values are static: one call at a time. Needs C99 and libm. */\n"
    .. "#include <math.h>\n\n"):format(table.concat(lines, "\n"))
end

--- The C source of a model.
function format.source(model, where)
  local net = lower.model(model, where)
  local names, xs, ys = names_of(net)
  local self = {code = {}, data = {}, buffers = {}, arrays = 0, where = where,
    name_of = function(v) return names[v.id] end}
  body(self, net, names)
  for i, v in ipairs(net.outputs) do
    add(self, "for (int i = 0; i < %d; i++) %s[i] = %s[i];", product(v.shape), ys[i], names[v.id])
  end
  local parameters = {}
  for _, x in ipairs(xs) do parameters[#parameters + 1] = "const float *" .. x end
  for _, y in ipairs(ys) do parameters[#parameters + 1] = "float *" .. y end
  local signature = ("void predict(%s)"):format(table.concat(parameters, ", "))
  return table.concat{head(net, xs, ys), signature, ";\n\n", table.concat(self.data, "\n"), "\n",
    signature, " {\n", table.concat(self.buffers, "\n"), "\n",
    table.concat(self.code, "\n"), "\n}\n"}
end

function format.export(model, path)
  local source = format.source(model, "export: " .. path)
  local ok, message = core.sys.fsync_write(path, source)
  if not ok then err.raise("export: %s", message) end
end

return format
