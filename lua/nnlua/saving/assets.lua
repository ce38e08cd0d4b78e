-- What layers keep beside their weights, as texts: in a .keras file these are members, other files
-- have no room for them.

local err = require "nnlua.err"
local walk = require "nnlua.saving.walk"

local assets = {}

local function folder_of(entry)
  return entry.path == "" and "assets/" or "assets/" .. entry.path .. "/"
end

--- {{name, text}, ...}, in order.
function assets.of(model)
  local list = {}
  for _, entry in ipairs(walk.objects(model)) do
    if entry.object.save_assets then
      for name, text in pairs(entry.object:save_assets()) do
        list[#list + 1] = {folder_of(entry) .. name, text}
      end
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

--- Gives the layers theirs. read(name): a text, nil where the file does not hold it. where: begins
--- error texts.
function assets.load(model, where, read)
  for _, entry in ipairs(walk.objects(model)) do
    if entry.object.load_assets then
      local ok, message = pcall(entry.object.load_assets, entry.object, function(name)
        return read(folder_of(entry) .. name)
      end)
      if not ok then err.raise("%s: %s", where, err.text(message)) end
    end
  end
end

--- Of a file that holds none.
function assets.none(model, where) assets.load(model, where, function() end) end

return assets
