// The managed identities: writer (Dagster), reader (the Functions app), pages (the web pages), and owner (upgrades of the
// schema).
param base string
param location string
param jobPerRun bool

var roles = loadJsonContent('../roles.json')

resource writer 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${base}-writer'
  location: location
}

resource reader 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${base}-reader'
  location: location
}

resource pages 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${base}-pages'
  location: location
}

resource owner 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${base}-owner'
  location: location
}

// The daemon creates a job for each run and assigns the identity of the writer to it.
resource lendsItself 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (jobPerRun) {
  name: guid(writer.id, writer.id, roles.managedIdentityOperator)
  scope: writer
  properties: {
    principalId: writer.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.managedIdentityOperator)
  }
}

output writer object = {
  id: writer.id
  name: writer.name
  clientId: writer.properties.clientId
  principalId: writer.properties.principalId
}
output reader object = {
  id: reader.id
  name: reader.name
  clientId: reader.properties.clientId
  principalId: reader.properties.principalId
}
output pages object = {
  id: pages.id
  name: pages.name
  clientId: pages.properties.clientId
  principalId: pages.properties.principalId
}
output owner object = {
  id: owner.id
  name: owner.name
  clientId: owner.properties.clientId
  principalId: owner.properties.principalId
}
