-- nn.version: the library's version, as nnlua_version() of the host API gives it.

local core = require "nnlua.core"

return {text = core.about():match "^nnlua ([^,]+)"}
