-- model:summary(): a table of the layers with output shapes and numbers of parameters.
--
-- What it asks of a model: name, layers, class_name, weights, optimizer; a functional model also
-- has `nodes`, the calls that it is made of. Of a layer: name, class_name, built, trainable,
-- weights, count_params(), inbound_nodes. Of a node: layer, index (from 1; the table counts from 0,
-- as Keras's does), and symbolic tensors with shape, node and tensor_index in `inputs` and
-- `flat_outputs`.

local args = require "nnlua.args"
local err = require "nnlua.err"
local terminal = require "nnlua.terminal"
local text_table = require "nnlua.text_table"
local tree = require "nnlua.tree"

local summary = {}

local BYTES = {float32 = 4, int32 = 4, uint32 = 4, uint8 = 1, int8 = 1, bool = 1, float16 = 2,
  bfloat16 = 2, int16 = 2, uint16 = 2, float64 = 8, int64 = 8, uint64 = 8}

local function commas(n)
  return (("%d"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function rank(shape)
  local n = shape.n or 0
  for key in pairs(shape) do
    if math.type(key) == "integer" then n = math.max(n, key) end
  end
  return n
end

--- A shape as Keras writes it: (None, 5). Unknown sizes are nil (then `n` tells the rank), false or
--- negative.
function summary.shape_text(shape)
  local parts = {}
  for i = 1, rank(shape) do
    local size = shape[i]
    parts[i] = size and size >= 0 and ("%d"):format(size) or "None"
  end
  return "(" .. table.concat(parts, ", ") .. ")"
end

-- The shapes of a layer's last call.
local function output_shapes(layer)
  local nodes = layer.inbound_nodes or {}
  local last, shapes = nodes[#nodes], {}
  if not last then return nil end
  for i, t in ipairs(last.flat_outputs) do shapes[i] = t.shape end
  return shapes
end

-- One output: its shape; several: [(None, 1), (None, 2)]; not known: ?
local function output_text(layer)
  local shapes = output_shapes(layer)
  if not shapes or #shapes == 0 then return "?" end
  local parts = {}
  for i, shape in ipairs(shapes) do parts[i] = summary.shape_text(shape) end
  return #parts == 1 and parts[1] or "[" .. table.concat(parts, ", ") .. "]"
end

local function params_text(layer)
  if layer.built == false then return "0 (unbuilt)" end
  return commas(layer.count_params and layer:count_params() or 0)
end

local function trainable_text(layer)
  if #(layer.weights or {}) == 0 then return "-" end
  return layer.trainable and "Y" or "N"
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

-- A plain chain needs no column of connections: every call has one input, no output goes to two
-- calls, no layer is called twice, and it ends once.
local function is_chain(model)
  local used, layers, ends = {}, {}, 0
  for _, node in ipairs(model.nodes) do
    local from = tree.flatten(node.inputs)
    if #from > 1 or layers[node.layer] then return false end
    layers[node.layer] = true
    if from[1] and used[from[1].node] then return false end
    if from[1] then used[from[1].node] = true end
  end
  for _, node in ipairs(model.nodes) do
    if not used[node] then ends = ends + 1 end
  end
  return ends <= 1
end

local function connections(layer, relevant)
  local parts = {}
  for _, node in ipairs(layer.inbound_nodes or {}) do
    if relevant[node] then
      for _, t in ipairs(tree.flatten(node.inputs)) do
        parts[#parts + 1] = ("%s[%d][%d]"):format(t.node.layer.name, t.node.index - 1,
          t.tensor_index - 1)
      end
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or "-"
end

local function add_rows(rows, layer, level, options, relevant)
  local mark = options.unicode and "└ " or "` "
  local prefix = level > 0 and ("   "):rep(level) .. mark or ""
  local cells = {("%s%s (%s)"):format(prefix, layer.name, layer.class_name), output_text(layer),
    params_text(layer)}
  if relevant then cells[#cells + 1] = connections(layer, relevant) end
  if options.show_trainable then cells[#cells + 1] = trainable_text(layer) end
  rows[#rows + 1] = cells
  if not options.expand_nested then return end
  for _, inner in ipairs(layer.layers or {}) do
    add_rows(rows, inner, level + 1, options, relevant)
  end
end

-- A name, the beginning of names, or a Lua pattern for it.
local function matches(name, pattern)
  if name:sub(1, #pattern) == pattern then return true end
  local ok, found = pcall(string.find, name, "^" .. pattern)
  return ok and found ~= nil
end

local function first_and_last(layers, pattern)
  local first, last
  for i, layer in ipairs(layers) do
    if matches(layer.name, pattern) then first, last = first or i, i end
  end
  if not first then
    local names = {}
    for i, layer in ipairs(layers) do names[i] = layer.name end
    err.raise("summary: layer_range: no layer is named '%s'%s", pattern,
      err.suggest(pattern, names))
  end
  return first, last
end

local function in_range(layers, range)
  if not range then return layers end
  if type(range) ~= "table" or #range ~= 2 then
    err.raise("summary: layer_range is %s, expected two layer names", err.show(range))
  end
  local first, first_last = first_and_last(layers, range[1])
  local last_first, last = first_and_last(layers, range[2])
  if first > last then first, last = last_first, first_last end
  return table.move(layers, first, last, 1, {})
end

local function columns_of(chain, options)
  local titles = {"Layer (type)", "Output Shape", "Param #"}
  local aligns = {"left", "left", "right"}
  local ends, default = {0.45, 0.80, 1.0}, 88
  if not chain then
    titles[4], aligns[4], ends, default = "Connected to", "left", {0.3, 0.56, 0.74, 1.0}, 108
  end
  ends = table.move(options.positions or ends, 1, #titles, 1, {})
  if options.show_trainable then
    for i, position in ipairs(ends) do ends[i] = position * 0.9 end
    ends[#ends + 1], titles[#titles + 1], aligns[#aligns + 1] = 1.0, "Trainable", "center"
    default = default + 12
  end
  local length = options.line_length or math.min(default, options.columns - 4)
  local columns, used = {}, 0
  for i, position in ipairs(ends) do
    local width = math.floor(position * length) - used
    err.check(width >= 4, "summary: %d characters are too few for the table", length)
    columns[i] = {title = titles[i], width = width, align = aligns[i]}
    used = used + width
  end
  return columns, length
end

-- The optimizer's step counter is 64 bits wide in files, whatever it is in memory.
local function bytes_of(variable)
  if variable.name == "iteration" then return 8 end
  return BYTES[variable.dtype or "float32"] or 4
end

local function count(variables)
  local n, bytes = 0, 0
  for _, variable in ipairs(variables) do
    local size = 1
    for _, d in ipairs(variable.shape) do size = size * d end
    n, bytes = n + size, bytes + size * bytes_of(variable)
  end
  return {n = math.tointeger(n), bytes = bytes}
end

local function memory_text(bytes)
  local units = {"B", "KB", "MB", "GB", "TB", "PB"}
  for i, unit in ipairs(units) do
    if bytes < 1024 or i == #units then return ("%.2f %s"):format(bytes, unit) end
    bytes = bytes / 1024
  end
end

-- Weights that are trained and weights that are not; a frozen layer's are not.
local function weights_by_use(model)
  if model.trainable_weights and model.non_trainable_weights then
    return model.trainable_weights, model.non_trainable_weights
  end
  local trained, fixed = {}, {}
  for _, weight in ipairs(model.weights or {}) do
    local list = weight.trainable and trained or fixed
    list[#list + 1] = weight
  end
  return trained, fixed
end

local function total_lines(model)
  local trained, fixed = weights_by_use(model)
  local optimizer = model.optimizer
  local a, b = count(trained), count(fixed)
  local state = optimizer and optimizer.built and count(optimizer.variables)
  local function line(name, n, bytes)
    return (" %s params: %s (%s)"):format(name, commas(n), memory_text(bytes))
  end
  local extra = state or {n = 0, bytes = 0}
  return {
    line("Total", a.n + b.n + extra.n, a.bytes + b.bytes + extra.bytes),
    line("Trainable", a.n, a.bytes),
    line("Non-trainable", b.n, b.bytes),
    state and line("Optimizer", state.n, state.bytes) or nil,
  }
end

--- The text of the summary. Options: line_length, positions (ends of the columns as fractions),
--- expand_nested, show_trainable, layer_range (first and last layer); columns and unicode are
--- those of the terminal.
function summary.render(model, options)
  local o = {}
  for key, value in pairs(options or {}) do o[key] = value end
  o.columns = o.columns or terminal.columns()
  if o.unicode == nil then o.unicode = terminal.unicode() end
  local chain = not model.nodes or model.class_name == "Sequential" or is_chain(model)
  local columns, length = columns_of(chain, o)
  local relevant = not chain and set_of(model.nodes) or nil
  local rows = {}
  for _, layer in ipairs(in_range(model.layers, o.layer_range)) do
    add_rows(rows, layer, 0, o, relevant)
  end
  local lines = {('Model: "%s"'):format(model.name)}
  for _, line in ipairs(text_table.lines(columns, rows, length, o.unicode)) do
    lines[#lines + 1] = text_table.crop(line, o.columns)
  end
  for _, line in ipairs(total_lines(model)) do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

local signature = args.signature("summary", [[line_length=None, positions=None, print_fn=None,
  expand_nested=False, show_trainable=False, layer_range=None]])

--- Prints the summary, or hands its text to `print_fn`. `record`: Keras's arguments.
function summary.print(model, record)
  local options = args.bind(signature, record or {})
  local print_fn = options.print_fn or terminal.write
  print_fn(summary.render(model, options))
end

return summary
