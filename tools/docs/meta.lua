-- LuaLS definitions: a .d.lua file for each page, made of the same data as the pages.

local meta = {}

local function type_of(a)
  if a.type then return a.type end
  local known = {units = "integer", filters = "integer", rate = "number", name = "string"}
  if known[a.name] then return known[a.name] end
  local t = math.type(a.default) or type(a.default)
  if t == "float" or t == "integer" then return "number" end
  if t == "string" or t == "boolean" then return t .. "|any" end
  return "any"
end

local function comment(out, text)
  for line in (text or ""):gmatch "[^\n]+" do out[#out + 1] = "---" .. line end
end

local function one_line(text) return ((text or ""):gsub("%s+", " ")) end

local reserved = {["end"] = true, ["repeat"] = true, ["function"] = true, ["not"] = true,
  ["and"] = true, ["or"] = true, ["in"] = true, ["goto"] = true}

-- A class for the record of arguments: completes the names inside `f{...}`.
local function record(out, item, class)
  out[#out + 1] = "---@class " .. class
  for i, a in ipairs(item.arguments) do
    out[#out + 1] = ("---@field %s? %s %s"):format(a.name, type_of(a), one_line(a.text))
    if i == 1 then
      out[#out + 1] = ("---@field [1]? %s %s"):format(type_of(a), a.name)
    end
  end
  out[#out + 1] = ""
end

local function params(out, item)
  local names = {}
  for i, a in ipairs(item.arguments) do
    local name = reserved[a.name] and a.name .. "_" or a.name
    names[i] = name
    if name == "..." then
      out[#out + 1] = "---@param ... any " .. one_line(a.text)
    else
      local optional = not a.required and not a.plain and "?" or ""
      out[#out + 1] = ("---@param %s%s %s %s"):format(name, optional, type_of(a),
        one_line(a.text))
    end
  end
  return table.concat(names, ", ")
end

local function documentation(out, item)
  comment(out, item.summary)
  if (item.shapes or "") ~= "" then comment(out, "Shapes: " .. item.shapes) end
  if item.errors then comment(out, "Errors: " .. item.errors) end
  if item.source then comment(out, "Source: " .. item.source) end
  if item.example then
    out[#out + 1] = "---```lua"
    comment(out, item.example)
    out[#out + 1] = "---```"
  end
end

local bases = {layers = "nn.Layer", losses = "nn.Loss", metrics = "nn.Metric",
  optimizers = "nn.Optimizer", callbacks = "nn.Callback"}

local results = {losses = "nn.Tensor", activations = "nn.Tensor", ops = "nn.Tensor",
  random = "nn.Tensor", initializers = "nn.Tensor"}

-- What the texts call what a function gives.
local kinds = {["A tensor."] = "nn.Tensor", ["A new tensor."] = "nn.Tensor",
  ["A model."] = "nn.Model", ["A layer."] = "nn.Layer", ["A History."] = "nn.History",
  ["A data set."] = "nn.Dataset", ["A Dataset."] = "nn.Dataset", ["A Table."] = "nn.Table",
  ["A number."] = "number", ["A string."] = "string", ["A boolean."] = "boolean"}

local parents = {Model = "nn.Layer", Sequential = "nn.Model", History = "nn.Callback"}

local function result_of(item)
  local returns = item.returns or ""
  local written = returns:match "^nn%.data%.(%u%w+)" or returns:match "^nn%.(%u%w+)"
  if written then return "nn." .. written end
  return kinds[returns] or item.kind ~= "method" and results[item.page] or "any"
end

local function class_item(out, item)
  local args = item.full .. ".args"
  if #item.arguments > 0 then record(out, item, args) end
  documentation(out, item)
  local base = item.methods_of or bases[item.page]
  out[#out + 1] = ("---@class %s%s"):format(item.full, base and ": " .. base or "")
  out[#out + 1] = ("---@overload fun(args%s: %s|any): %s"):format(
    #item.arguments > 0 and "" or "?", #item.arguments > 0 and args or "table", item.full)
  out[#out + 1] = ("%s = {}"):format(item.full)
end

local function function_item(out, item, owner)
  local args = item.full:gsub(":", ".") .. ".args"
  local named = #item.arguments > 0 and not item.arguments[1].plain
  if named then record(out, item, args) end
  documentation(out, item)
  local list = params(out, item)
  local result = result_of(item)
  if named then
    out[#out + 1] = ("---@overload fun(%sargs: %s): %s"):format(
      owner and "self: " .. owner .. ", " or "", args, result)
  end
  out[#out + 1] = ("---@return %s"):format(result)
  local name = owner and owner .. "_class:" .. item.name or item.full
  if reserved[item.name] then
    out[#out + 1] = ("%s[%q] = function(%s) end"):format(item.full:match "^(.*)%.", item.name, list)
    return
  end
  out[#out + 1] = ("function %s(%s) end"):format(name:gsub("^nn%.(%u%l+)_class", "%1"), list)
end

local function write(path, out)
  local file = assert(io.open(path, "w"))
  assert(file:write(table.concat(out, "\n"), "\n"))
  file:close()
end

-- The functions of nn.ops are methods of tensors.
local function tensor_methods(out, section)
  out[#out + 1] = "---@class nn.Tensor\nlocal Tensor = {}\n"
  for _, item in ipairs(section.items) do
    local first = item.arguments and item.arguments[1]
    if first and first.name ~= "..." and not reserved[item.name] then
      out[#out + 1] = "---" .. one_line(item.summary)
      local rest = {arguments = table.move(item.arguments, 2, #item.arguments, 1, {})}
      local list = params(out, rest)
      out[#out + 1] = "---@return nn.Tensor"
      out[#out + 1] = ("function Tensor:%s(%s) end\n"):format(item.name, list)
    end
  end
end

local function class_methods(out, class)
  local full = "nn." .. class.name
  comment(out, ("Objects of the class %s."):format(class.name))
  local parent = parents[class.name]
  out[#out + 1] = "---@class " .. full .. (parent and ": " .. parent or "")
  for _, field in ipairs(class.fields) do
    out[#out + 1] = ("---@field %s any %s"):format(field.name, one_line(field.text))
  end
  out[#out + 1] = ("local %s = {}\n"):format(class.name)
  for _, item in ipairs(class.methods) do
    function_item(out, item, full)
    out[#out + 1] = ""
  end
end

local function declare(out, section)
  local space = section.prefix:match "^(.*)%.$"
  if space ~= "nn" then
    out[#out + 1] = "---@class " .. space
    out[#out + 1] = space .. " = {}\n"
  end
end

-- nn.data.Dataset has the methods of nn.Dataset; nn.Model is its own.
local function methods_of(page, item)
  for _, class in ipairs(page.classes) do
    local full = "nn." .. class.name
    if class.name == item.name and full ~= item.full then return full end
  end
end

--- Writes the definitions of all pages into a folder.
function meta.write(pages, folder)
  for _, page in ipairs(pages) do
    local out = {"---@meta", "", "---@class nn", "local nn = {}", ""}
    if page.id == "schedules" then
      out[#out + 1] = "---@class nn.optimizers\nnn.optimizers = {}\n"
    end
    for _, section in ipairs(page.sections) do
      declare(out, section)
      for _, item in ipairs(section.items) do
        if item.kind == "class" then
          item.methods_of = methods_of(page, item)
          class_item(out, item)
        elseif item.kind == "function" then
          function_item(out, item)
        else
          documentation(out, item)
          out[#out + 1] = item.full .. " = {}"
        end
        out[#out + 1] = ""
      end
    end
    for _, class in ipairs(page.classes) do
      if class.name ~= "Tensor" then class_methods(out, class) end -- core.d.lua has it
    end
    if page.id == "ops" then tensor_methods(out, page.sections[1]) end
    write(folder .. "/" .. page.id .. ".d.lua", out)
  end
  local main = {"---@meta nnlua", "", "---@class nn", "local nn = {}", "", "return nn"}
  write(folder .. "/nnlua.d.lua", main)
end

return meta
