-- Muon (Jordan et al. 2024): momentum made orthogonal, for matrices; Adam's rule for the rest.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"
local err = require "nnlua.err"
local state = require "nnlua.optimizers.state"

local Muon = Optimizer:extend("Muon", {
  kind = "Muon",
  args = [[learning_rate=0.001, adam_beta_1=0.9, adam_beta_2=0.999, adam_weight_decay=0.004,
    epsilon=1e-07, weight_decay=0.004, ]] .. Optimizer.common_args_without_decay
    .. [[, exclude_layers=None, exclude_embeddings=True, muon_a=3.4445, muon_b=-4.775,
    muon_c=2.0315, adam_lr_ratio=1, momentum=0.95, ns_steps=5, nesterov=True, rms_rate=0.2]],
  own = {"adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c",
    "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "exclude_embeddings",
    "adam_weight_decay", "rms_rate"},
  hyper = {"adam_beta_1", "adam_beta_2", "epsilon", "muon_a", "muon_b", "muon_c",
    "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "adam_weight_decay"},
  slots = {{"momentum", "velocity"}},
})

function Muon:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "adam_beta_1", "adam_beta_2", "momentum")
  checks.not_negative(self, "epsilon", "adam_lr_ratio")
  if self.adam_weight_decay ~= nil then checks.not_negative(self, "adam_weight_decay") end
  checks.number(self, "muon_a", "muon_b", "muon_c")
  checks.boolean(self, "nesterov", "exclude_embeddings")
  if self.ns_steps == nil then err.raise("Muon: ns_steps is nil, expected an integer above 0") end
  checks.count(self, 1, "ns_steps")
  if self.rms_rate ~= nil then checks.number(self, "rms_rate") end
  if type(self.exclude_layers) == "string" then self.exclude_layers = {self.exclude_layers} end
  self.exclude_layers = self.exclude_layers or {}
end

function Muon:hyperparameters()
  local h = Optimizer.hyperparameters(self)
  h.rms_rate = self.rms_rate or 0 / 0
  return h
end

--- True for variables under Adam's rule: no matrix, an embedding, or excluded by its path.
function Muon:alternative(v)
  if #v.shape ~= 2 then return true end
  local path = v.path or v.name or ""
  if self.exclude_embeddings and path:lower():find("embedding", 1, true) then return true end
  return state.matches(path, self.exclude_layers)
end

return Muon
