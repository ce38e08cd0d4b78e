-- nn.data.csv: a strict reader; every error names the line and the column.

local core = require "nnlua.core"
local args = require "nnlua.args"
local Table = require "nnlua.data.table"

local signature = args.signature("csv", [[path, delimiter=None, quote=None, header=None, names=None,
  na=None, types=None, decimal=None, thousands=None, comment=None, trim=None, text=None]])

--- Reads a file (or `text`) into a table of named columns.
---@return nn.data.Table
return function(...)
  local a = args.collect(signature, ...)
  local count, columns = core.io.csv(a.path, a, a.text)
  return Table(count, columns)
end
