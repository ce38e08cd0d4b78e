-- Values from a file into variables, all of them or none: a load that fails leaves the model and
-- its optimizer as they were.

local core = require "nnlua.core"
local err = require "nnlua.err"

local put = {}

-- Only variables with a rule for their values (an optimizer's counter, its learning rate) can
-- refuse one, so they come first, and those that took theirs get the old ones back.
local function write_ruled(list, where)
  for k, w in ipairs(list) do
    w.old = core.new(w[1].tensor)
    local ok, message = pcall(w[1].assign, w[1], w[2])
    if not ok then
      for i = k - 1, 1, -1 do list[i][1]:assign(list[i].old) end
      err.raise("%s: %s", where, err.text(message))
    end
  end
end

--- Writes {{variable, value}, ...}, whose shapes are equal. where: begins error texts.
function put.write(writes, where)
  local ruled = {}
  for _, w in ipairs(writes) do
    if not rawget(w[1], "tensor") then ruled[#ruled + 1] = w end
  end
  write_ruled(ruled, where)
  for _, w in ipairs(writes) do
    local tensor = rawget(w[1], "tensor")
    if tensor then core.copy(tensor, w[2]) end
  end
end

--- Runs f(...). Where it fails, an optimizer that it has built is as before.
function put.guarded(optimizer, f, ...)
  local before = {}
  for key, v in next, optimizer or {} do before[key] = v end
  local ok, message = pcall(f, ...)
  if ok then return end
  if optimizer and not before.built and optimizer.built then
    for key in next, optimizer do if before[key] == nil then rawset(optimizer, key, nil) end end
    for key, v in next, before do rawset(optimizer, key, v) end
  end
  error(message, 0)
end

return put
