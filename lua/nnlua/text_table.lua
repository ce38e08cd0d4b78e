-- A table drawn with lines, in columns of fixed width: the one of model.summary().
--
-- Widths follow the table printer that Keras uses: every column asks for its width and one blank on
-- each side; what is too much for the line is taken from the columns one by one. A cell wraps
-- between words; a word that is too wide is cut and ends in an ellipsis.

local text_table = {}

local UNICODE = {
  top = {"┏", "━", "┳", "┓"}, head = {"┃", "┃", "┃"}, under = {"┡", "━", "╇", "┩"},
  row = {"│", "│", "│"}, between = {"├", "─", "┼", "┤"}, bottom = {"└", "─", "┴", "┘"},
  ellipsis = "…",
}

local ASCII = {
  top = {"+", "-", "+", "+"}, head = {"|", "|", "|"}, under = {"+", "=", "+", "+"},
  row = {"|", "|", "|"}, between = {"+", "-", "+", "+"}, bottom = {"+", "-", "+", "+"},
  ellipsis = "~",
}

local function width_of(text) return utf8.len(text) or #text end

-- The first n characters.
local function take(text, n)
  local stop = utf8.offset(text, n + 1)
  return stop and text:sub(1, stop - 1) or text
end

-- Python's round: halves go to the even neighbour.
local function round(x)
  local low = math.floor(x)
  local rest = x - low
  if rest > 0.5 or (rest == 0.5 and low % 2 == 1) then return low + 1 end
  return low
end

-- Widths with their blanks, for a whole line of `total` characters.
local function fit(widths, total)
  local out, excess, left = {}, -(total - #widths - 1), #widths
  for i, width in ipairs(widths) do
    out[i] = width + 2
    excess = excess + out[i]
  end
  for i, width in ipairs(out) do
    local less = math.min(width, math.max(0, round(excess / left)))
    out[i] = width - less
    excess, left = excess - less, left - 1
  end
  return out
end

local function truncate(text, width, ellipsis)
  text = text:gsub("%s+$", "")
  if width_of(text) <= width then return text end
  return take(text, width - 1) .. ellipsis
end

local function wrap(text, width, ellipsis)
  local lines, line, used = {}, "", 0
  for word in text:gmatch "%s*%S+%s*" do
    if used > 0 and width - used < width_of((word:gsub("%s+$", ""))) then
      lines[#lines + 1] = truncate(line, width, ellipsis)
      line, used = "", 0
    end
    line, used = line .. word, used + width_of(word)
  end
  lines[#lines + 1] = truncate(line, width, ellipsis)
  return lines
end

local function align(text, width, how)
  local missing = math.max(0, width - width_of(text))
  local left = how == "right" and missing or how == "center" and missing // 2 or 0
  return (" "):rep(left) .. text .. (" "):rep(missing - left)
end

local function rule(widths, marks)
  local parts = {}
  for i, width in ipairs(widths) do parts[i] = marks[2]:rep(width) end
  return marks[1] .. table.concat(parts, marks[3]) .. marks[4]
end

-- A row of cells as lines.
local function row_lines(cells, columns, widths, marks, ellipsis)
  local wrapped, height = {}, 1
  for i, width in ipairs(widths) do
    wrapped[i] = wrap(cells[i], width - 2, ellipsis)
    height = math.max(height, #wrapped[i])
  end
  local lines = {}
  for k = 1, height do
    local parts = {}
    for i, width in ipairs(widths) do
      parts[i] = " " .. align(wrapped[i][k] or "", width - 2, columns[i].align) .. " "
    end
    lines[k] = marks[1] .. table.concat(parts, marks[2]) .. marks[3]
  end
  return lines
end

--- The lines of a table. `columns`: list of {title=, width=, align=}; `rows`: lists of cells;
--- `total`: width of the whole; `unicode`: draw with box characters.
function text_table.lines(columns, rows, total, unicode)
  local style, wanted, titles = unicode and UNICODE or ASCII, {}, {}
  for i, column in ipairs(columns) do wanted[i], titles[i] = column.width, column.title end
  local widths, lines = fit(wanted, total), {}
  local function add(cells, marks)
    for _, line in ipairs(row_lines(cells, columns, widths, marks, style.ellipsis)) do
      lines[#lines + 1] = line
    end
  end
  lines[1] = rule(widths, style.top)
  add(titles, style.head)
  lines[#lines + 1] = rule(widths, style.under)
  for i, cells in ipairs(rows) do
    if i > 1 then lines[#lines + 1] = rule(widths, style.between) end
    add(cells, style.row)
  end
  lines[#lines + 1] = rule(widths, style.bottom)
  return lines
end

--- A line cut to `width` characters, without a mark.
function text_table.crop(line, width) return take(line, width) end

return text_table
