-- Errors are raised at the line of the caller: the first stack frame outside the library.
--
-- Library chunks are named "@nnlua/..."; C functions have no line. `err.raise` walks the stack past
-- both and puts "script.lua:12: " in front of the text.

local err = {}

--- The "file:line: " of the first frame that is not the library's, "" when there is none.
function err.where()
  local level = 2
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return "" end
    if info.what ~= "C" and info.source:sub(1, 7) ~= "@nnlua/" and info.currentline > 0 then
      return ("%s:%d: "):format(info.short_src, info.currentline)
    end
    level = level + 1
  end
end

--- Raises an error with a printf-style text at the caller's line.
function err.raise(fmt, ...)
  local text = select("#", ...) > 0 and fmt:format(...) or fmt
  error(err.where() .. text, 0)
end

--- Raises `fmt` unless `ok`.
function err.check(ok, fmt, ...)
  if not ok then err.raise(fmt, ...) end
  return ok
end

--- The text of what pcall caught, without the place in front.
function err.text(message) return (tostring(message):gsub("^[^\n:]+:%d+: ", "")) end

local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#b]
end

--- The name of `names` (a list) nearest to `name`, or nil when none is near (half its length).
function err.nearest(name, names)
  local best, least = nil, math.max(2, math.ceil(#name / 2))
  for _, candidate in ipairs(names) do
    local d = distance(name:lower(), candidate:lower())
    if candidate:lower():sub(1, #name) == name:lower() then d = math.min(d, 1) end
    if d < least or (d == least and best and candidate < best) then best, least = candidate, d end
  end
  return best
end

--- "; did you mean 'adam'?" or "".
function err.suggest(name, names)
  local near = type(name) == "string" and err.nearest(name, names)
  return near and ("; did you mean '%s'?"):format(near) or ""
end

--- How a value is named in a message: `"five"` is a string, 2.5 is itself.
function err.show(v)
  if type(v) == "string" then return "a string" end
  if type(v) == "number" or type(v) == "boolean" or v == nil then return tostring(v) end
  return "a " .. type(v)
end

return err
