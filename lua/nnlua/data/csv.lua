-- nn.data.csv: a strict reader; every error names the line and the column.

local core = require "nnlua.core"
local args = require "nnlua.args"
local Table = require "nnlua.data.table"

local signature = args.signature("csv", [[path, delimiter=None, quote=None, header=None, names=None,
  na=None, types=None, decimal=None, thousands=None, comment=None, trim=None, text=None]])

--- Reads a file into a table of named columns. A column is `number` when every present cell is one,
--- else `text`; empty cells, NA, N/A, NULL, NaN, None and the like are missing. Every record has as
--- many cells as the first. An error names file, line and column; nothing is read by half.
---
--- Options: `delimiter` (","), `quote` ('"'; false for none), `header` (true; false names the
--- columns c1, c2 ...), `names`, `na` (further texts for missing cells), `types` (name -> "number"
--- or "text"), `decimal` ("."), `thousands`, `comment` (what such lines begin with), `trim`
--- (true cuts blanks around text), `text` (parse this instead of a file; `path` names
--- it in errors).
---@return nn.data.Table
return function(...)
  local a = args.collect(signature, ...)
  local count, columns = core.io.csv(a.path, a, a.text)
  return Table(count, columns)
end
