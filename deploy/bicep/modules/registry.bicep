// The registry of the images. Images contain the code and no data, so the registry is open to the internet, but only to
// identities. A private endpoint would need the Premium tier, at ten times the price, and a builder in the network.
param name string
param location string

@description('Principals that may pull images.')
param pullers array

var roles = loadJsonContent('../roles.json')

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
  }
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for puller in pullers: {
  name: guid(registry.id, puller, roles.acrPull)
  scope: registry
  properties: {
    principalId: puller
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}]

output server string = registry.properties.loginServer
