-- nnlua inspect FILE: what is in a model's or weights' file, without building the model.

local core = require "nnlua.core"
local err = require "nnlua.err"
local keys = require("nnlua.tree").keys
local version = require "nnlua.saving.version"

local inspect = {}

-- The same caps as for loading.
local function limits() return require("nnlua.saving").current_limits end

local function shape_text(shape)
  local parts = {}
  for i = 1, #shape do parts[i] = tostring(shape[i]) end
  return "(" .. table.concat(parts, ", ") .. ")"
end

local function elements(shape)
  local n = 1
  for i = 1, #shape do n = n * shape[i] end
  return n
end

-- Names come from the file: control characters would reach the terminal.
local function clean(text) return (tostring(text):gsub("[%c\127]", "?")) end

local function thousands(n)
  local text = tostring(math.tointeger(n) or n)
  local out = text:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (out:gsub("^,", ""))
end

-- tensors -----------------------------------------------------------------------------------------

local function add_tensor(report, name, shape, element)
  local optimizer = name:find "^optimizer" ~= nil
  local state = name:find "^training_state/" ~= nil
  table.insert(report.tensors, {name = name, shape = shape, element = element,
    optimizer = optimizer, state = state})
  if not optimizer and not state then report.parameters = report.parameters + elements(shape) end
end

local function add_tree(report, node, path)
  for _, child in ipairs(node.children) do
    local at = path == "" and child.name or path .. "/" .. child.name
    if child.kind == "dataset" then
      add_tensor(report, at, child.shape, child.element or child.dtype)
    else
      add_tree(report, child, at)
    end
  end
end

local function add_values(report, values)
  for _, name in ipairs(keys(values)) do
    add_tensor(report, name, values[name].shape, values[name].dtype)
  end
end

-- configurations ----------------------------------------------------------------------------------

local function activation_of(config)
  local a = config.activation
  if type(a) == "table" then a = a.class_name end
  return type(a) == "string" and a or nil
end

local function size_of(config)
  for _, key in ipairs {"units", "filters", "output_dim", "rate", "pool_size", "target_shape"} do
    local v = config[key]
    if type(v) == "table" then v = shape_text(v) end
    if type(v) == "number" or type(v) == "string" then return ("%s=%s"):format(key, v) end
  end
  local shape = config.batch_shape or config.batch_input_shape
  if type(shape) == "table" then
    local out = {}
    for i = 1, #shape do out[i] = math.tointeger(shape[i]) or "None" end
    return shape_text(out)
  end
end

local function add_layers(report, config, depth)
  local layers = type(config) == "table" and (config.layers or (config[1] and config))
  for _, layer in ipairs(type(layers) == "table" and layers or {}) do
    if type(layer) ~= "table" then return end
    local c = type(layer.config) == "table" and layer.config or {}
    table.insert(report.layers, {depth = depth, class_name = layer.class_name or "?",
      name = c.name or layer.name or "", size = size_of(c), activation = activation_of(c)})
    if depth < 20 and type(c.layers) == "table" then add_layers(report, c, depth + 1) end
  end
end

local function name_of(v)
  if type(v) == "string" then return v end
  if type(v) ~= "table" then return nil end
  if v.class_name then return v.class_name end
  local parts = {}
  for _, one in ipairs(v) do parts[#parts + 1] = name_of(one) end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

local function add_model(report, object)
  if type(object) ~= "table" then return end
  report.model = object.class_name
  report.name = type(object.config) == "table" and object.config.name or nil
  add_layers(report, object.config, 0)
  local c = object.compile_config
  if type(c) ~= "table" then return end
  report.compiled = ("optimizer %s, loss %s, metrics %s"):format(name_of(c.optimizer) or "none",
    name_of(c.loss) or "none", name_of(c.metrics) or "none")
end

-- formats -----------------------------------------------------------------------------------------

local readers = {}

-- What a file says of itself. A checksum that is wrong was an error before.
local function add_version(report, values)
  report.version = values[version.key]
  report.checksum = values[version.checksum]
end

-- Where a run stands that is saved in the file.
local function add_state(report, file)
  local text = file:read "training_state/json"
  local ok, state = pcall(function()
    local bytes = core.totable(text)
    for i = 1, #bytes do bytes[i] = string.char(bytes[i]) end
    return core.json.decode(table.concat(bytes), "state")
  end)
  if ok and type(state) == "table" then
    report.state = {epoch = state.epoch, batch = state.batch}
  end
end

readers[".keras"] = function(report, path)
  local zip = core.zip.open(path, limits())
  for _, member in ipairs(zip:names()) do
    table.insert(report.members, {name = member[1], size = member[2]})
  end
  local config, weights = zip:read "config.json", zip:read "model.weights.h5"
  local metadata = zip:read "metadata.json"
  metadata = metadata and core.json.decode(metadata, path .. ": metadata.json", limits())
  if type(metadata) == "table" then
    add_version(report, metadata)
    report.keras_version = metadata.keras_version
  end
  if config then add_model(report, core.json.decode(config, path .. ": config.json", limits())) end
  if weights then
    add_tree(report, core.hdf5.open(path .. ": model.weights.h5", limits(), weights):tree(), "")
  end
end

readers[".h5"] = function(report, path)
  local file = core.hdf5.open(path, limits())
  local tree = file:tree()
  add_version(report, tree.attributes)
  report.keras_version = tree.attributes.keras_version
  local function text(name)
    local v = tree.attributes[name]
    local value = type(v) == "string" and core.json.decode(v, path .. ": " .. name, limits())
    return type(value) == "table" and value or nil
  end
  local object, training = text "model_config", text "training_config"
  if object then
    object.compile_config = training and {optimizer = training.optimizer_config,
      loss = training.loss, metrics = training.metrics}
    add_model(report, object)
  end
  add_tree(report, tree, "")
  add_state(report, file)
end
readers[".hdf5"] = readers[".h5"]

readers[".safetensors"] = function(report, path)
  local values, metadata = core.safetensors.load(path, limits())
  add_version(report, metadata)
  local config = metadata.config
  if config then add_model(report, core.json.decode(config, path .. ": config", limits())) end
  add_values(report, values)
end

readers[".npz"] = function(report, path) add_values(report, core.zip.npz(path, limits())) end

readers[".onnx"] = function(report, path)
  local graph = core.onnx.open(path, limits()):graph()
  for _, node in ipairs(graph.nodes) do
    table.insert(report.layers, {depth = 0, class_name = node.op, name = node.name})
  end
  for _, t in ipairs(graph.tensors) do add_tensor(report, t.name, t.shape, t.dtype) end
end

readers[".json"] = function(report, path)
  local shards, where = require("nnlua.saving.sharded").shards, "inspect: " .. path
  for name, file in shards(path, {limits = limits()}, where) do
    table.insert(report.members, {name = name})
    local tree = file:tree()
    add_version(report, tree.attributes)
    add_tree(report, tree, "")
  end
  report.checksum = nil -- of the last shard
end

--- What is in the file, as a table: format, size, sha256, layers, tensors, parameters, members.
function inspect.file(path)
  local ending = path:gsub("%.bkp$", ""):match "%.[^./]*$" or ""
  local reader = readers[ending:lower()]
  if not reader then
    error(("inspect: unknown ending '%s'; expected .keras, .weights.h5, .h5, .hdf5, .safetensors, "
      .. ".npz, .onnx or .weights.json"):format(ending), 0)
  end
  local sha256, size = core.sha256_file(path)
  if not sha256 then error("inspect: " .. tostring(size), 0) end
  local report = {path = path, format = ending, size = size, sha256 = sha256, parameters = 0,
    layers = {}, tensors = {}, members = {}}
  reader(report, path)
  return report
end

-- printing ----------------------------------------------------------------------------------------

local function print_layers(report, write)
  if #report.layers == 0 then return end
  write("layers\n")
  for _, l in ipairs(report.layers) do
    local parts = {clean(l.name), l.size and clean(l.size), l.activation and clean(l.activation)}
    local list = {}
    for i = 1, 3 do if parts[i] and parts[i] ~= "" then list[#list + 1] = parts[i] end end
    write(("  %s%-24s %s\n"):format(("  "):rep(l.depth), clean(l.class_name),
      table.concat(list, ", ")))
  end
end

local function print_tensors(report, write)
  local counts, totals = {optimizer = 0, state = 0}, {optimizer = 0, state = 0}
  local width = 40
  for _, t in ipairs(report.tensors) do
    if not t.optimizer and not t.state then width = math.min(math.max(width, #t.name), 99) end
  end
  local line = ("  %%-%ds %%-16s %%s\n"):format(width)
  write("tensors\n")
  for _, t in ipairs(report.tensors) do
    local kind = t.optimizer and "optimizer" or t.state and "state"
    if kind then
      counts[kind], totals[kind] = counts[kind] + 1, totals[kind] + elements(t.shape)
    else
      write(line:format(clean(t.name), shape_text(t.shape), t.element or ""))
    end
  end
  if counts.optimizer > 0 then
    write(("optimizer   %d variables, %s numbers\n"):format(counts.optimizer,
      thousands(totals.optimizer)))
  end
  if counts.state > 0 then
    local at = report.state
    local where = at and (" after %s epochs and %s batches"):format(clean(at.epoch),
      clean(at.batch)) or ""
    write(("state       of a training run%s, to go on from\n"):format(where))
  end
  write(("parameters  %s\n"):format(thousands(report.parameters)))
end

--- Prints a report through write(text).
function inspect.print(report, out)
  local function write(text) out(text) end
  write(("file        %s\nsize        %s bytes\nsha256      %s\n"):format(clean(report.path),
    thousands(report.size), report.sha256))
  if report.checksum then
    write(("checksum    %s (CRC-32), and it is right\n"):format(clean(report.checksum)))
  end
  if report.version or report.keras_version then
    write(("format      %s\n"):format(clean(report.version and "nnlua " .. tostring(report.version)
      or "Keras " .. tostring(report.keras_version))))
  end
  for _, m in ipairs(report.members) do
    write(("member      %s%s\n"):format(clean(m.name),
      m.size and (" (%s bytes)"):format(thousands(m.size)) or ""))
  end
  if report.model then
    write(("model       %s%s\n"):format(clean(report.model),
      report.name and " '" .. clean(report.name) .. "'" or ""))
  end
  if report.compiled then write("compiled    " .. clean(report.compiled) .. "\n") end
  print_layers(report, write)
  if #report.tensors > 0 then print_tensors(report, write) end
end

--- The program's command: prints each file; gives an exit status.
function inspect.main(arg)
  if #arg == 0 then
    io.stderr:write("usage: nnlua inspect FILE...\n")
    return 2
  end
  local status = 0
  for i, path in ipairs(arg) do
    if i > 1 then io.write("\n") end
    local ok, report = pcall(inspect.file, path)
    if ok then
      inspect.print(report, io.write)
    else
      io.stderr:write("nnlua: ", err.text(report), "\n")
      status = 1
    end
  end
  return status
end

return inspect
