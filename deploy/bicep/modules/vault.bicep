// The Key Vault. It holds the few secrets that a managed identity cannot replace.
param name string
param location string

@secure()
param secrets object

@description('Principal that may read all secrets: only the writer.')
param writerId string

@description('Principal of the web pages, which may read only the secrets that they need.')
param pagesId string

@description('Names of the secrets of the web pages. They must be stored, now or before.')
param namesForPages array

@description('Principal of Azure Databricks, which may read only the secret of its jobs. Empty: it may read none.')
param databricksId string

param subnetId string
param zoneId string
param workspaceId string

var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  properties: {
    sku: {
      family: 'A'
      name: 'standard'
    }
    tenantId: tenant().tenantId
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      // The secret scope of a workspace is read by the control plane of Databricks, which is in no network of ours.
      bypass: empty(databricksId) ? 'None' : 'AzureServices'
    }
  }
}

// A deployment changes only the secrets that it names, so it does not overwrite rotated secrets.
resource values 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = [for secret in items(secrets): if (!empty(secret.value)) {
  parent: vault
  name: secret.key
  properties: {
    value: secret.value
  }
}]

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, writerId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

resource forPages 'Microsoft.KeyVault/vaults/secrets@2023-07-01' existing = [for name in namesForPages: {
  parent: vault
  name: name
}]

resource pagesRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, i) in namesForPages: {
  name: guid(vault.id, name, pagesId, roles.keyVaultSecretsUser)
  scope: forPages[i]
  properties: {
    principalId: pagesId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
  dependsOn: [
    values
  ]
}]

resource forDatabricks 'Microsoft.KeyVault/vaults/secrets@2023-07-01' existing = {
  parent: vault
  name: 'databricks-client-secret'
}

resource databricksReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(databricksId)) {
  name: guid(vault.id, 'databricks-client-secret', databricksId, roles.keyVaultSecretsUser)
  scope: forDatabricks
  properties: {
    principalId: databricksId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
  dependsOn: [
    values
  ]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'vault-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: vault.id
    part: 'vault'
    subnetId: subnetId
    zoneId: zoneId
  }
}

output url string = vault.properties.vaultUri
