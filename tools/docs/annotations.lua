-- LuaLS annotations of the sources: the `---` block before a definition, by the definition's name.

local annotations = {}

local function add_tag(block, line)
  local name, rest = line:match "^@param%s+([%w_.]+%??)%s*(.*)$"
  if name then
    block.params[name:gsub("%?$", "")] = rest
    return
  end
  local returned = line:match "^@return%s+(.*)$"
  if returned then
    block.returns[#block.returns + 1] = returned
    return
  end
  local field, text = line:match "^@field%s+([%w_]+%??)%s+(.*)$"
  if field then block.fields[field:gsub("%?$", "")] = text end
end

local function new_block() return {lines = {}, params = {}, returns = {}, fields = {}} end

local function defined_name(line)
  return line:match "^function%s+([%w_.:]+)" or line:match "^local function%s+([%w_]+)"
    or line:match "^([%w_.]+)%s*=" or line:match "^local%s+([%w_]+)%s*="
    or line:match "^%s+function%s+([%w_.:]+)" or line:match "^(return) "
end

--- The blocks of a file: list of {name=, owner=, text=, params=, returns=, fields=}.
function annotations.read(path)
  local blocks, block = {}, nil
  for line in io.lines(path) do
    local comment = line:match "^%s*%-%-%-%s?(.*)$"
    if comment then
      block = block or new_block()
      if comment:sub(1, 1) == "@" then
        add_tag(block, comment)
      else
        block.lines[#block.lines + 1] = comment
      end
    elseif block then
      local name = defined_name(line)
      if name then
        block.owner, block.name = name:match "^(.-)[.:]([^.:]+)$"
        if not block.name then block.name = name end
        block.text = table.concat(block.lines, "\n"):gsub("^%s+", ""):gsub("%s+$", "")
        block.file = path
        blocks[#blocks + 1] = block
      end
      block = nil
    end
  end
  return blocks
end

--- All blocks of the files in the list.
function annotations.all(paths)
  local found = {}
  for _, path in ipairs(paths) do
    for _, block in ipairs(annotations.read(path)) do found[#found + 1] = block end
  end
  return found
end

--- The library's files.
function annotations.files()
  local list = {}
  local pipe = assert(io.popen "find lua/nnlua -name '*.lua' ! -path '*/meta/*' | sort")
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

--- The best block of that name: in a file under one of the folders (or the file) of `where`, a list
--- of patterns, and belonging to `owner` when one is given.
function annotations.find(blocks, name, where, owner)
  for _, pattern in ipairs(where) do
    for _, block in ipairs(blocks) do
      local file = block.file:match "([%w_]+)%.lua$"
      local named = block.name == name or (block.name == "return" and file == name)
      if named and block.file:find(pattern) and (not owner or block.owner == owner)
        and block.text ~= "" then
        return block
      end
    end
  end
end

return annotations
