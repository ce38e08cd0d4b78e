-- nn.config: settings of the runtime.

local core = require "nnlua.core"
local err = require "nnlua.err"

local config = {}

local epsilon = 1e-7

--- The small number that formulas add to avoid dividing by zero (1e-7).
function config.epsilon() return epsilon end

--- "float32": all computing is done in it.
function config.floatx() return "float32" end

--- "channels_last".
function config.image_data_format() return "channels_last" end

--- Threads that large products and long arrays are split over; results do not depend on it.
---@param n integer 1 or more, 0 for as many as the machine has
function config.set_num_threads(n)
  if math.tointeger(n) == nil or n < 0 then
    err.raise("set_num_threads: n is %s, expected an integer of 0 or more", err.show(n))
  end
  core.set_threads(math.tointeger(n))
end

function config.get_num_threads() return core.get_threads() end

--- Who computes large matrix products: "native" (same bits on every CPU), "openblas", or "auto".
---@param name "auto"|"native"|"openblas"
function config.set_gemm_backend(name)
  if name ~= "auto" and name ~= "native" and name ~= "openblas" then
    err.raise("set_gemm_backend: unknown backend '%s', expected auto, native or openblas",
      tostring(name))
  end
  core.set_gemm_backend(name)
end

return config
