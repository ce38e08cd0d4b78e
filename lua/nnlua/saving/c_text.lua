-- Text of C functions: lines with their indentation, numbers, and loops over the places of arrays.

local text = {}

local Body = {}
Body.__index = Body

--- The body of a function: add, open and close write lines.
function text.body() return setmetatable({lines = {}, depth = 1}, Body) end

function Body:add(fmt, ...)
  local line = select("#", ...) > 0 and fmt:format(...) or fmt
  self.lines[#self.lines + 1] = ("  "):rep(self.depth) .. line
end

function Body:open(fmt, ...)
  self:add(fmt .. " {", ...)
  self.depth = self.depth + 1
end

function Body:close(count)
  for _ = 1, count or 1 do
    self.depth = self.depth - 1
    self:add "}"
  end
end

--- for (int name = 0; name < n; name++) {
function Body:each(name, n) self:open("for (int %s = 0; %s < %d; %s++)", name, name, n, name) end

--- A float that reads back to the same bits.
function text.number(v)
  if v ~= v then return "NAN" end
  if v == math.huge then return "INFINITY" elseif v == -math.huge then return "-INFINITY" end
  local digits = ("%.9g"):format(v)
  if not digits:find "[%.e]" then digits = digits .. ".0" end
  return digits .. "f"
end

function text.product(shape, first, last)
  local n = 1
  for i = first or 1, last or #shape do n = n * shape[i] end
  return n
end

--- Elements under each axis.
function text.strides(shape)
  local out, n = {}, 1
  for i = #shape, 1, -1 do out[i], n = n, n * shape[i] end
  return out
end

--- The strides with which an array of shape `from` is read to fill `to`.
function text.spread(from, to)
  local own, out = text.strides(from), {}
  for i = 1, #to do
    local d = i - #to + #from
    out[i] = d >= 1 and from[d] > 1 and own[d] or 0
  end
  return out
end

local function joined(dims, strides)
  local n, size, steps = 0, {}, {}
  for k in ipairs(strides) do steps[k] = {} end
  for i, d in ipairs(dims) do
    local fits = n > 0
    for k, s in ipairs(strides) do fits = fits and steps[k][n] == s[i] * d end
    if d ~= 1 and fits then
      size[n] = size[n] * d
      for k, s in ipairs(strides) do steps[k][n] = s[i] end
    elseif d ~= 1 then
      n = n + 1
      size[n] = d
      for k, s in ipairs(strides) do steps[k][n] = s[i] end
    end
  end
  return size, steps
end

local function index_text(steps, letter, start)
  local parts = {}
  if start and start ~= 0 then parts[1] = tostring(start) end
  for i, s in ipairs(steps) do
    if s == 1 then parts[#parts + 1] = letter .. i
    elseif s ~= 0 then parts[#parts + 1] = ("%s%d * %d"):format(letter, i, s) end
  end
  return #parts == 0 and "0" or (table.concat(parts, " + "):gsub("%+ %-", "- "))
end

--- Loops over dims with counters letter1, letter2, ...; strides is a list of lists. Gives how many
--- loops were opened and the places as text. starts: where each array begins.
function Body:walk(letter, dims, strides, starts)
  local size, steps = joined(dims, strides)
  for i, n in ipairs(size) do self:each(letter .. i, n) end
  local places = {}
  for k, s in ipairs(steps) do places[k] = index_text(s, letter, starts and starts[k]) end
  return #size, places
end

return text
