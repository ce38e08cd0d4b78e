-- Curves in the terminal: braille dots, two across and four down a character; where the locale has
-- no such characters, letters of a coarser grid. Validation is dotted (ASCII: "o").

local plot = require "nnlua.plot"
local terminal = require "nnlua.terminal"

local text = {}

-- The bit of each dot in a braille character, by row and column.
local DOTS = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

local COLOUR = {train = "\27[34m", validation = "\27[33m"}
local RESET = "\27[0m"

local ROLES = {"train", "validation"}

-- A grid of dots for each role; `across` x `down` dots a character.
local function canvas(columns, rows, unicode)
  return {columns = columns, rows = rows, across = unicode and 2 or 1, down = unicode and 4 or 1,
    train = {}, validation = {}}
end

local function set(grid, role, x, y)
  local cell = y // grid.down * grid.columns + x // grid.across
  local bit = grid.down == 4 and DOTS[y % 4 + 1][x % 2 + 1] or 1
  grid[role][cell] = (grid[role][cell] or 0) | bit
end

local function round(x) return math.floor(x + 0.5) end

-- The dots between two points; of validation only every second pair.
local function line(grid, role, x0, y0, x1, y1)
  local steps = math.max(math.abs(x1 - x0), math.abs(y1 - y0), 1)
  for i = 0, steps do
    local x, y = round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps)
    local shown = role == "train" or grid.down == 1 or (x // 2 + y // 2) % 2 == 0
    if shown then set(grid, role, x, y) end
  end
end

local function scale(value, low, high, dots)
  if high == low then return (dots - 1) // 2 end
  return round((value - low) / (high - low) * (dots - 1))
end

local function draw(grid, s, box)
  local before_x, before_y
  for i, epoch in ipairs(s.x) do
    local value = s.y[i]
    if value == value and math.abs(value) < math.huge then
      local x = scale(epoch, box.x0, box.x1, grid.columns * grid.across)
      local dots = grid.rows * grid.down
      local y = dots - 1 - scale(value, box.y0, box.y1, dots)
      line(grid, s.role, before_x or x, before_y or y, x, y)
      before_x, before_y = x, y
    else
      before_x, before_y = nil, nil
    end
  end
end

local function braille_cell(a, b, escapes)
  if a + b == 0 then return " " end
  local mark = utf8.char(0x2800 + (a | b))
  if not escapes then return mark end
  return COLOUR[a > 0 and "train" or "validation"] .. mark .. RESET
end

local function ascii_cell(a, b)
  if a > 0 then return "*" end
  return b > 0 and "o" or " "
end

local function row_text(grid, row, style)
  local parts = {}
  for column = 0, grid.columns - 1 do
    local cell = row * grid.columns + column
    local a, b = grid.train[cell] or 0, grid.validation[cell] or 0
    parts[#parts + 1] = style.unicode and braille_cell(a, b, style.escapes) or ascii_cell(a, b)
  end
  return (table.concat(parts):gsub(" +$", ""))
end

local function legend(panel, style)
  local marks = style.unicode and {train = "━━", validation = "╍╍"}
    or {train = "**", validation = "oo"}
  local parts = {}
  for _, role in ipairs(ROLES) do
    for _, s in ipairs(panel.series) do
      if s.role == role then
        local mark = style.escapes and COLOUR[role] .. marks[role] .. RESET or marks[role]
        parts[#parts + 1] = mark .. " " .. s.name
      end
    end
  end
  return table.concat(parts, "   ")
end

local LABEL = 10 -- width of the numbers beside the axis

-- Whole epochs below the axis, as many as have room.
local function x_labels(box, columns)
  local out, width = "", 0
  for _, tick in ipairs(plot.whole_ticks(box.x0, box.x1, math.max(2, columns // 8))) do
    local label = ("%d"):format(tick)
    local at = box.x1 > box.x0 and round((tick - box.x0) / (box.x1 - box.x0) * (columns - 1))
      or columns // 2
    at = math.min(at - #label // 2, columns - #label)
    if at >= width + (width > 0 and 1 or 0) or width == 0 then
      out = out .. (" "):rep(at - width) .. label
      width = math.max(width, at) + #label
    end
  end
  return out
end

local function panel_lines(panel, columns, rows, style)
  local x0, x1 = plot.range(panel, "x")
  local y0, y1 = plot.range(panel, "y")
  local box = {x0 = x0, x1 = x1, y0 = y0 or 0, y1 = y1 or 1}
  local grid = canvas(columns, rows, style.unicode)
  for i = #panel.series, 1, -1 do draw(grid, panel.series[i], box) end
  local bar, corner, dash = "│", "└", "─"
  if not style.unicode then bar, corner, dash = "|", "+", "-" end
  local lines = {(" "):rep(LABEL + 1) .. legend(panel, style)}
  for row = 0, rows - 1 do
    local label = row == 0 and box.y1 or row == rows - 1 and box.y0 or nil
    lines[#lines + 1] = ("%" .. LABEL .. "s%s%s"):format(
      label and ("%.4g "):format(label) or "", bar, row_text(grid, row, style))
  end
  lines[#lines + 1] = (" "):rep(LABEL) .. corner .. dash:rep(columns)
  lines[#lines + 1] = (" "):rep(LABEL + 1) .. x_labels(box, columns)
  return lines
end

--- The lines of all panels. `width` and `height` (of one panel) are in characters.
function text.lines(panels, options, style)
  local width = math.max(30, options.width or math.min(80, (style.columns or 80) - 1))
  local rows = math.max(3, options.height or 12)
  local lines = {options.title}
  for i, panel in ipairs(panels) do
    if i > 1 then lines[#lines + 1] = "" end
    for _, one in ipairs(panel_lines(panel, width - LABEL - 1, rows, style)) do
      lines[#lines + 1] = one
    end
  end
  lines[#lines + 1] = (" "):rep(LABEL + 1) .. "epoch"
  return lines
end

--- Prints the curves.
function text.show(panels, options)
  for _, one in ipairs(text.lines(panels, options, terminal.style())) do terminal.print(one) end
end

return text
