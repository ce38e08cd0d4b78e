-- Whole files.

local files = {}

--- The bytes of a file, or nil where there is none.
function files.text(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

--- The bytes of a file that must be there.
function files.read(path) return files.text(path) or error("cannot open " .. path, 2) end

--- Writes a file; gives its path.
function files.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

return files
